from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def export_transfer(
    target: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    located: dsl.Input[dsl.Dataset],
    cut: dict,
    localise: dict,
    registered_model: str,
    bundle: dsl.Output[dsl.Model],
):
    """Export the classifier of windows as a bundle with its thresholds, unless the runtime disagrees with torch.

    Args:
        target: Parquet table of patches with folds.
        model: Folder written by `train_transfer`.
        evaluation: Its evaluation.
        located: Folder written by `localise_defects`.
        cut: Fields of `CutSettings`.
        localise: Fields of `LocaliseSettings`.
        registered_model: Name in the registry.
        bundle: Folder with `bundle.zip`.
    """
    from glassline.steps.export_transfer import export_transfer as step

    step(
        target.path, model.path, evaluation.path, located.path, cut, localise, registered_model, bundle.path
    )  # fmt: skip

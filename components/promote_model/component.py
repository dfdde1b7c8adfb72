from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def promote_model(
    augmented: dsl.Input[dsl.Dataset],
    bundle: dsl.Input[dsl.Model],
    export_run: str,
    registered_model: str,
    significance: float,
    promotion: dsl.Output[dsl.Artifact],
) -> str:
    """Register the bundle; make it champion only when it is provably better.

    Args:
        augmented: Parquet table of patches with folds.
        bundle: Folder with `bundle.zip`.
        export_run: Run that logged the model.
        registered_model: Name in the registry.
        significance: Largest p at which it counts as better.
        promotion: JSON with the decision and its reasons.

    Returns:
        `promoted` or `kept`.
    """
    from glassline.steps.promote_model import promote_model as step

    return step(augmented.path, bundle.path, export_run, registered_model, significance, promotion.path)

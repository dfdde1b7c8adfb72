from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def export_detector(
    samples: dsl.Input[dsl.Dataset],
    labels: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    types: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    defects: dict,
    registered_model: str,
    bundle: dsl.Output[dsl.Model],
):
    """Export detector and classifier as a bundle with their thresholds, unless the runtime disagrees with torch.

    Args:
        samples: Parquet table of images.
        labels: Folder written by `label_severity`.
        model: Folder written by `train_regression`.
        types: Folder written by `train_defect_types`.
        evaluation: Folder written by `evaluate_detection`.
        defects: Fields of `JoinSettings`.
        registered_model: Name in the registry.
        bundle: Folder with `bundle.zip`.
    """
    from glassline.steps.export_detector import export_detector as step

    step(samples.path, labels.path, model.path, types.path, evaluation.path, defects, registered_model, bundle.path)

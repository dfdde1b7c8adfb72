from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def export_model(
    augmented: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    model_name: str,
    extract: dict,
    bundle: dsl.Output[dsl.Model],
    strict: bool = True,
) -> str:
    """Export the model as a bundle; it is not handed out unless ONNX Runtime agrees with torch.

    Args:
        augmented: Parquet table of patches with folds.
        model: Folder written by `train_ensemble` or `train_triplet`.
        model_name: Its name.
        extract: Fields of `ExtractSettings` that the patches were made with.
        bundle: Folder with `bundle.zip`.
        strict: Fail where they disagree; else the gate refuses the bundle.

    Returns:
        Id of the MLflow run that logged the model.
    """
    from glassline.steps.export_model import export_model as step

    return step(augmented.path, model.path, model_name, extract, bundle.path, strict)

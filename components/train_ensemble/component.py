from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def train_ensemble(
    augmented: dsl.Input[dsl.Dataset],
    content_hash: str,
    model_name: str,
    training: dict,
    seed: int,
    store: str,
    model: dsl.Output[dsl.Model],
):
    """Train the model that is exported.

    Args:
        augmented: Parquet table of patches with folds and copies.
        content_hash: Its content hash.
        model_name: Name of the model, as in `glassline models`.
        training: Fields of `TrainingSettings`.
        seed: Seed of the fit.
        store: Folder or S3 URL for checkpoints.
        model: Folder with weights, settings and history.
    """
    from glassline.steps.train_ensemble import train_ensemble as step

    step(augmented.path, model_name, training, seed, store, model.path)

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def train_triplet(
    augmented: dsl.Input[dsl.Dataset],
    content_hash: str,
    model_name: str,
    training: dict,
    seed: int,
    store: str,
    model: dsl.Output[dsl.Model],
):
    """Train the metric network that is exported beside the classifier.

    Args:
        augmented: Parquet table of patches with folds and copies.
        content_hash: Its content hash.
        model_name: triplet or siamese.
        training: Fields of `TrainingSettings`.
        seed: Seed of the fit.
        store: Folder or S3 URL for checkpoints.
        model: Folder with weights, references, settings and history.
    """
    from glassline.steps.train_triplet import train_triplet as step

    step(augmented.path, model_name, training, seed, store, model.path)

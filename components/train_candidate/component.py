from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def train_candidate(
    augmented: dsl.Input[dsl.Dataset],
    content_hash: str,
    candidate: dict,
    chosen: dsl.Input[dsl.Artifact],
    registered_model: str,
    training: dict,
    seed: int,
    store: str,
    model: dsl.Output[dsl.Model],
    validated: dsl.Output[dsl.Artifact],
) -> str:
    """Train one candidate of a cycle, from scratch, the champion or chosen sources, and cross-validate it.

    Args:
        augmented: Parquet table of the new product's patches with folds and augmented copies.
        content_hash: Content hash of what was augmented and of the chosen sources.
        candidate: Its name, model and start: scratch, champion or sources.
        chosen: Folder written by `choose_sources`.
        registered_model: Name of the product's classifier in the registry.
        training: Fields of `TrainingSettings`.
        seed: Seed of every fit.
        store: Folder or S3 URL for checkpoints and finished fits.
        model: Folder with weights, settings and history.
        validated: Folder with the prediction of every unit by the fit that had not seen it.

    Returns:
        SHA-256 of the model's weights, `failed` where its training failed.
    """
    from glassline.steps.train_candidate import train_candidate as step

    return step(
        augmented.path, content_hash, candidate, chosen.path, registered_model, training, seed, store, model.path,
        validated.path,
    )  # fmt: skip

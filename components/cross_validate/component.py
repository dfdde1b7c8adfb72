from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def cross_validate(
    augmented: dsl.Input[dsl.Dataset],
    content_hash: str,
    models: list,
    folds: list,
    training: dict,
    seed: int,
    store: str,
    threads: int,
    predictions: dsl.Output[dsl.Dataset],
):
    """Train and test every model on some of the folds.

    Args:
        augmented: Parquet table of patches with folds and copies.
        content_hash: Its content hash.
        models: Names of the models, as in `glassline models`.
        folds: Folds to test on in this part.
        training: Fields of `TrainingSettings`.
        seed: Seed of every fit.
        store: Folder or S3 URL for checkpoints and finished folds.
        threads: CPU threads of a fit; 0 takes all cores.
        predictions: Folder with predictions and histories.
    """
    from glassline.steps.cross_validate import cross_validate as step

    step(augmented.path, models, folds, training, seed, store, threads, predictions.path)

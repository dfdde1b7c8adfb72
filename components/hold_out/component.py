from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def hold_out(
    augmented: dsl.Input[dsl.Dataset],
    content_hash: str,
    models: list,
    training: dict,
    seed: int,
    store: str,
    threads: int,
    held_out: dsl.Output[dsl.Dataset],
):
    """Judge every model on a held-out share of a balanced subset.

    Args:
        augmented: Parquet table of patches with copies.
        content_hash: Its content hash.
        models: Names of the models, as in `glassline models`.
        training: Fields of `TrainingSettings`.
        seed: Seed of draw, split and fits.
        store: Folder or S3 URL for checkpoints and finished fits.
        threads: CPU threads of a fit; 0 takes all cores.
        held_out: Folder with predictions, metrics and confusion matrices.
    """
    from glassline.steps.hold_out import hold_out as step

    step(augmented.path, models, training, seed, store, threads, held_out.path)

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def measure_affinity(
    sources: dsl.Input[list[dsl.Dataset]],
    target: dsl.Input[dsl.Dataset],
    content_hash: str,
    sources_hashes: list[str],
    folds: int,
    affinity: dict,
    transfer: dict,
    seed: int,
    store: str,
    measured: dsl.Output[dsl.Dataset],
    base: dsl.Output[dsl.Model],
) -> str:
    """Measure how much each source helps a new product; returns a hash of the data and the affinities.

    Args:
        sources: Parquet tables of patches, one per product.
        target: Parquet table of patches with folds.
        content_hash: Content hash of the target, so that caching follows the data and not its place.
        sources_hashes: The same of each source.
        folds: Folds that the target was split into.
        affinity: Fields of `AffinitySettings`.
        transfer: Fields of `TransferSettings`.
        seed: Seed of split, draws and fits.
        store: Folder or S3 URL for checkpoints and measured gains.
        measured: Folder with affinities, samples of each source and figures.
        base: Folder of the base network.
    """
    from glassline.steps.measure_affinity import measure_affinity as step

    return step(
        [one.path for one in sources], target.path, [content_hash, *sources_hashes, str(folds)], affinity, transfer,
        seed, store, measured.path, base.path,
    )  # fmt: skip

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def choose_sources(
    target: dsl.Input[dsl.Dataset],
    content_hash: str,
    sources: list,
    extract: dict,
    registered_model: str,
    affinity: dict,
    selection: dict,
    transfer: dict,
    seed: int,
    store: str,
    chosen: dsl.Output[dsl.Artifact],
) -> str:
    """Choose by Dataonomy what a new product's candidates learn from first, and keep those patches.

    Args:
        target: Parquet table of the new product's patches with folds.
        content_hash: Its content hash.
        sources: Entries of a list of data sets; the champion's own earlier table is a source beside them.
        extract: Fields of `ExtractSettings` that the target's patches were made with.
        registered_model: Name of the product's classifier in the registry.
        affinity: Fields of `AffinitySettings`.
        selection: Fields of `SelectionSettings`.
        transfer: Fields of `TransferSettings` of the base network that affinity is measured with.
        seed: Seed of draws and fits.
        store: Folder or S3 URL for patches, checkpoints and the base.
        chosen: Folder with the chosen patches and why they were chosen.

    Returns:
        Hash of what was chosen.
    """
    from glassline.steps.choose_sources import choose_sources as step

    return step(
        target.path, content_hash, sources, extract, registered_model, affinity, selection, transfer, seed, store,
        chosen.path,
    )  # fmt: skip

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def extract_candidates(
    samples: dsl.Input[dsl.Dataset],
    content_hash: str,
    store: str,
    extract: dict,
    patches: dsl.Output[dsl.Dataset],
) -> str:
    """Find candidates in every image and write their patches into shards.

    Args:
        samples: Parquet table of images.
        content_hash: Its content hash, so that caching follows the data and not its place.
        store: Folder or S3 URL under which the shards stay.
        extract: Fields of `ExtractSettings`.
        patches: Parquet table of patches.

    Returns:
        Content hash of the table of patches.
    """
    from glassline.steps.extract_candidates import extract_candidates as step

    return step(samples.path, store, extract, patches.path)

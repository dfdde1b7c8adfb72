from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def cut_patches(
    samples: dsl.Input[dsl.Dataset],
    content_hash: str,
    cut: dict,
    store: str,
    patches: dsl.Output[dsl.Dataset],
) -> str:
    """Cut every image into windows, labelled by the defects that they hold, and write them into shards.

    Args:
        samples: Parquet table of images.
        content_hash: Its content hash, so that caching follows the data and not its place.
        cut: Fields of `CutSettings`.
        store: Folder or S3 URL under which the shards stay.
        patches: Parquet table of patches.

    Returns:
        Content hash of the table of patches.
    """
    from glassline.steps.cut_patches import cut_patches as step

    return step(samples.path, content_hash, cut, store, patches.path)

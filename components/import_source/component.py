from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def import_source(source: dict, cut: dict, store: str, patches: dsl.Output[dsl.Dataset]) -> str:
    """Import a data set that a new product may learn from, and cut its patches; returns their content hash.

    Args:
        source: Fields of `SourceData`, its hash among them.
        cut: Fields of `CutSettings`.
        store: Folder or S3 URL under which the shards stay.
        patches: Parquet table of patches.
    """
    from glassline.steps.import_source import import_source as step

    return step(source, cut, store, patches.path)

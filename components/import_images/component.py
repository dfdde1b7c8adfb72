from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def import_images(
    data: str,
    data_format: str,
    data_hash: str,
    product: str,
    cycle: str,
    clean_class: str,
    samples: dsl.Output[dsl.Dataset],
    stated: bool = False,
) -> str:
    """Import a source of labelled images into a sample table.

    Args:
        data: Folder of images and annotations, or their label file; a path or an S3 URL.
        data_format: Layout, as in `glassline import --format`.
        data_hash: SHA-256 of the source at submission; the import refuses another.
        product: Product name.
        cycle: Product cycle.
        clean_class: Class without defect, "" where the layout tells.
        samples: Parquet table of images.
        stated: Whether product and cycle win over what images say that they are of.

    Returns:
        Content hash of the table.
    """
    from glassline.steps.import_images import import_images as step

    return step(data, data_format, data_hash, product, cycle, clean_class, samples.path, stated)

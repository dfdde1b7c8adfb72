from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def localise_defects(
    samples: dsl.Input[dsl.Dataset],
    split: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    cut: dict,
    localise: dict,
    content_hash: str,
    store: str,
    located: dsl.Output[dsl.Dataset],
):
    """Localise the defects of the test images: heat map, binarisation, boxes; the same by class activation.

    Args:
        samples: Parquet table of images.
        split: Parquet table of their patches with folds.
        model: Folder of a fitted classifier of patches.
        cut: Fields of `CutSettings`, as the patches were cut.
        localise: Fields of `LocaliseSettings`.
        content_hash: Content hash of the samples, so that caching follows the data and not its place.
        store: Folder or S3 URL for heat that is kept between tries.
        located: Folder with boxes, metrics and overlays.
    """
    from glassline.steps.localise_defects import localise_defects as step

    step(samples.path, split.path, model.path, cut, localise, content_hash, store, located.path)

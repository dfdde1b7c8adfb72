from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def detect_defects(
    samples: dsl.Input[dsl.Dataset],
    labels: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    types: dsl.Input[dsl.Model],
    part: int,
    parts: int,
    defects: dict,
    store: str,
    found: dsl.Output[dsl.Dataset],
):
    """Detect the defects of one part of the test images: severity, pixel filter, connected components, types.

    Args:
        samples: Parquet table of images.
        labels: Folder written by `label_severity`.
        model: Folder written by `train_regression`.
        types: Folder written by `train_defect_types`.
        part: Which part of the images this is, from 0.
        parts: Number of parts.
        defects: Fields of `JoinSettings`.
        store: Folder or S3 URL for severity maps.
        found: Folder with a row per defect and one per image.
    """
    from glassline.steps.detect_defects import detect_defects as step

    step(samples.path, labels.path, model.path, types.path, part, parts, defects, store, found.path)

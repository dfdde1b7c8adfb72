from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def segment_captures(
    samples: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    part: int,
    parts: int,
    tiles: dict,
    find: dict,
    store: str,
    segments: dsl.Output[dsl.Dataset],
):
    """Score the validation and test zones of one part, with the network and with the classical model.

    Args:
        samples: Parquet table of images.
        model: Folder written by `train_unet`.
        part: Which part of the zones this is, from 0.
        parts: Number of parts.
        tiles: Fields of `TileSettings`.
        find: Fields of `FindSettings`.
        store: Folder or S3 URL for score maps.
        segments: Folder with a table of zones and one of scratches.
    """
    from glassline.steps.segment_captures import segment_captures as step

    step(samples.path, model.path, part, parts, tiles, find, store, segments.path)

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def export_unet(
    samples: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    verdicts: dsl.Input[dsl.Artifact],
    tiles: dict,
    find: dict,
    registered_model: str,
    bundle: dsl.Output[dsl.Model],
):
    """Export the network as a bundle with its thresholds, unless the runtime disagrees with torch.

    Args:
        samples: Parquet table of images.
        model: Folder written by `train_unet`.
        verdicts: Folder written by `judge_glasses`.
        tiles: Fields of `TileSettings`.
        find: Fields of `FindSettings`; the high threshold is the chosen one.
        registered_model: Name in the registry.
        bundle: Folder with `bundle.zip`.
    """
    from glassline.steps.export_unet import export_unet as step

    step(samples.path, model.path, verdicts.path, tiles, find, registered_model, bundle.path)

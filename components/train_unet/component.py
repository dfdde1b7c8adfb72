from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def train_unet(
    samples: dsl.Input[dsl.Dataset],
    content_hash: str,
    segmentation: dict,
    seed: int,
    store: str,
    model: dsl.Output[dsl.Model],
):
    """Train the network that finds scratches in captures.

    Args:
        samples: Parquet table of images: zones of captures with their labels.
        content_hash: Its content hash.
        segmentation: Fields of `SegmentationSettings`.
        seed: Seed of the split of the glasses and of the fit.
        store: Folder or S3 URL for checkpoints.
        model: Folder with weights, settings, history and the split.
    """
    from glassline.steps.train_unet import train_unet as step

    step(samples.path, segmentation, seed, store, model.path)

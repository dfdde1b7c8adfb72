from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def train_regression(
    samples: dsl.Input[dsl.Dataset],
    labels: dsl.Input[dsl.Dataset],
    content_hash: str,
    regression: dict,
    seed: int,
    store: str,
    model: dsl.Output[dsl.Model],
):
    """Train the severity detector and find the threshold of its pixel filter.

    Args:
        samples: Parquet table of images.
        labels: Folder written by `label_severity`.
        content_hash: Hash of the labels.
        regression: Fields of `RegressionSettings`.
        seed: Seed of weights and patches.
        store: Folder or S3 URL for checkpoints.
        model: Folder with weights, settings, history and the threshold.
    """
    from glassline.steps.train_regression import train_regression as step

    step(samples.path, labels.path, content_hash, regression, seed, store, model.path)

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def label_severity(
    samples: dsl.Input[dsl.Dataset],
    content_hash: str,
    regression: dict,
    seed: int,
    labels: dsl.Output[dsl.Dataset],
) -> str:
    """Label the severity of every annotated defect and split the groups; returns a hash of both.

    Args:
        samples: Parquet table of images.
        content_hash: Its content hash.
        regression: Fields of `RegressionSettings`.
        seed: Seed of the split.
        labels: Folder with a row per defect and the split.
    """
    from glassline.steps.label_severity import label_severity as step

    return step(samples.path, content_hash, regression, seed, labels.path)

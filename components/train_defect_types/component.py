from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def train_defect_types(
    samples: dsl.Input[dsl.Dataset],
    labels: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    defect_types: dict,
    defects: dict,
    seed: int,
    store: str,
    types: dsl.Output[dsl.Model],
):
    """Train the network that tells types of defects apart, and defects from the detector's false positives.

    Args:
        samples: Parquet table of images.
        labels: Folder written by `label_severity`.
        model: Folder written by `train_regression`.
        defect_types: Fields of `DefectTypeSettings`.
        defects: Fields of `JoinSettings`.
        seed: Seed of weights and windows.
        store: Folder or S3 URL for checkpoints.
        types: Folder with weights, settings and history.
    """
    from glassline.steps.train_defect_types import train_defect_types as step

    step(samples.path, labels.path, model.path, defect_types, defects, seed, store, types.path)

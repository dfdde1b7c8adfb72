from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def evaluate_segmentation(
    samples: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    verdicts: dsl.Input[dsl.Artifact],
    find: dict,
    evaluation: dsl.Output[dsl.Artifact],
):
    """Measure network and classical model on the test glasses.

    Args:
        samples: Parquet table of images.
        model: Folder written by `train_unet`.
        verdicts: Folder written by `judge_glasses`.
        find: Fields of `FindSettings`.
        evaluation: Folder with metrics and figures.
    """
    from glassline.steps.evaluate_segmentation import evaluate_segmentation as step

    step(samples.path, model.path, verdicts.path, find, evaluation.path)

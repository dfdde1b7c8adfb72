from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def judge_glasses(
    segments: dsl.Input[list[dsl.Dataset]],
    samples: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    max_fn_rate: float,
    verdicts: dsl.Output[dsl.Artifact],
):
    """Choose the threshold of a verdict on validation glasses, and judge the test glasses by it.

    Args:
        segments: Folders written by `segment_captures`, one per part.
        samples: Parquet table of images.
        model: Folder written by `train_unet`.
        max_fn_rate: Largest false-negative rate of glasses, in (0, 1).
        verdicts: Folder with glasses, zones, scratches and the operating point.
    """
    from glassline.steps.judge_glasses import judge_glasses as step

    step([folder.path for folder in segments], samples.path, model.path, max_fn_rate, verdicts.path)

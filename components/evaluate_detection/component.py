from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def evaluate_detection(
    samples: dsl.Input[dsl.Dataset],
    labels: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    found: dsl.Input[list[dsl.Dataset]],
    defects: dict,
    evaluation: dsl.Output[dsl.Artifact],
):
    """Measure the detection on the test images, with and without the classifier of types, and write its page.

    Args:
        samples: Parquet table of images.
        labels: Folder written by `label_severity`.
        model: Folder written by `train_regression`.
        found: Folders written by `detect_defects`, one per part.
        defects: Fields of `JoinSettings`.
        evaluation: Folder with metrics, figures and the page.
    """
    from glassline.steps.evaluate_detection import evaluate_detection as step

    step(samples.path, labels.path, model.path, [one.path for one in found], defects, evaluation.path)

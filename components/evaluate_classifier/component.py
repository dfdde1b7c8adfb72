from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def evaluate_classifier(
    predictions: dsl.Input[list[dsl.Dataset]],
    augmented: dsl.Input[dsl.Dataset],
    model_name: str,
    evaluation: dsl.Output[dsl.Artifact],
):
    """Pool the folds of all parts: metrics, confusion matrices, curves.

    Args:
        predictions: Folders written by `cross_validate`, one per part.
        augmented: The table they were made from.
        model_name: Model whose metrics the pipeline's run shows.
        evaluation: Folder with pooled predictions, metrics and figures.
    """
    from glassline.steps.evaluate_classifier import evaluate_classifier as step

    step([part.path for part in predictions], augmented.path, model_name, evaluation.path)

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def compare_models(
    evaluation: dsl.Input[dsl.Artifact],
    baseline: str,
    seed: int,
    comparison: dsl.Output[dsl.Dataset],
):
    """Test every model against the baseline: chi-square, McNemar, interval of the difference.

    Args:
        evaluation: Folder written by `evaluate_classifier`.
        baseline: Name of the baseline model.
        seed: Seed of the bootstrap.
        comparison: Folder with one row per model, and the figure of every pair.
    """
    from glassline.steps.compare_models import compare_models as step

    step(evaluation.path, baseline, seed, comparison.path)

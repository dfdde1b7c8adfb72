from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def explain_cam(
    augmented: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    model_name: str,
    seed: int,
    explanation: dsl.Output[dsl.Artifact],
):
    """Show where the model looks, and list the samples where it looks elsewhere.

    Args:
        augmented: Parquet table of patches with folds.
        model: Folder written by `train_ensemble` or `train_candidate`.
        model_name: What it is called in this run.
        seed: Seed of the choice of samples.
        explanation: Folder with overlays per class and the list.
    """
    from glassline.steps.explain_cam import explain_cam as step

    step(augmented.path, model.path, model_name, seed, explanation.path)

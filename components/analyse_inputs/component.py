from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def analyse_inputs(
    augmented: dsl.Input[dsl.Dataset],
    seed: int,
    analysis: dsl.Output[dsl.Artifact],
):
    """Show which classes look alike and which vary, before anything is trained on them.

    Args:
        augmented: Parquet table of patches.
        seed: Seed of the draw of patches.
        analysis: Folder with distances per class, the hardest pairs and figures.
    """
    from glassline.steps.analyse_inputs import analyse_inputs as step

    step(augmented.path, seed, analysis.path)

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def select_sources(
    measured: dsl.Input[dsl.Dataset],
    selection: dict,
    chosen: dsl.Output[dsl.Artifact],
):
    """Choose the sources that a base network is retrained on.

    Args:
        measured: Folder written by `measure_affinity`.
        selection: Fields of `SelectionSettings`.
        chosen: Folder with the chosen sources, the reasons and a figure.
    """
    from glassline.steps.select_sources import select_sources as step

    step(measured.path, selection, chosen.path)

from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def write_results(results: dsl.Input[list[dsl.Artifact]], page: dsl.Output[dsl.Artifact]):
    """Put what was measured side by side with what is published.

    Args:
        results: Folders written by `run_benchmark`.
        page: Folder with the page and every result in one file.
    """
    from glassline.steps.write_results import write_results as step

    step([one.path for one in results], page.path)

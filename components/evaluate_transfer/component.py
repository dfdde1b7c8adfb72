from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def evaluate_transfer(
    samples: dsl.Input[dsl.Dataset],
    measured: dsl.Input[dsl.Dataset],
    chosen: dsl.Input[dsl.Artifact],
    evaluation: dsl.Input[dsl.Artifact],
    of_all: dsl.Input[dsl.Artifact],
    of_random: dsl.Input[dsl.Artifact],
    of_none: dsl.Input[dsl.Artifact],
    located: dsl.Input[dsl.Dataset],
    comparison: dsl.Output[dsl.Artifact],
):
    """Compare networks that learned from different sources, and write the page of the transfer.

    Args:
        samples: Parquet table of the new product's images.
        measured: Folder written by `measure_affinity`.
        chosen: Folder written by `select_sources`.
        evaluation: Folder written by `train_transfer` for the chosen sources.
        of_all: The same for all sources.
        of_random: The same for random ones of the same budget.
        of_none: The same for none.
        located: Folder written by `localise_defects`.
        comparison: Folder with the table of networks and the page.
    """
    from glassline.steps.evaluate_transfer import evaluate_transfer as step

    step(
        samples.path, measured.path, chosen.path, [evaluation.path, of_all.path, of_random.path, of_none.path],
        located.path, comparison.path,
    )  # fmt: skip

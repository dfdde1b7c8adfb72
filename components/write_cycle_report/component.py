from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def write_cycle_report(
    samples: dsl.Input[dsl.Dataset],
    augmented: dsl.Input[dsl.Dataset],
    checked: dsl.Input[dsl.Artifact],
    chosen: dsl.Input[dsl.Artifact],
    validated: dsl.Input[list[dsl.Artifact]],
    compared: dsl.Input[list[dsl.Artifact]],
    promotion: dsl.Input[dsl.Artifact],
    queue: dsl.Input[dsl.Artifact],
    product: str,
    cycle: str,
    report: dsl.Output[dsl.HTML],
):
    """Write what a cycle came to: a page for reviewers, and a short summary in Markdown.

    Args:
        samples: Parquet table of images.
        augmented: Parquet table of patches with folds and copies.
        checked: Folder written by `check_cycle`.
        chosen: Folder written by `choose_sources`.
        validated: Folders with out-of-fold `predictions.parquet`, one per candidate.
        compared: Folders written by `compare_champion`, one per candidate.
        promotion: JSON written by `promote_model`.
        queue: Folder written by `queue_review`.
        product: Product of the cycle.
        cycle: Its name.
        report: The page.
    """
    from glassline.steps.write_cycle_report import write_cycle_report as step

    step(
        samples.path, augmented.path, checked.path, chosen.path, [one.path for one in validated],
        [one.path for one in compared], promotion.path, queue.path, product, cycle,
        report.path,
    )  # fmt: skip

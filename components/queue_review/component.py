from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def queue_review(
    augmented: dsl.Input[dsl.Dataset],
    samples: dsl.Input[dsl.Dataset],
    validated: dsl.Input[list[dsl.Dataset]],
    promotion: dsl.Input[dsl.Artifact],
    review: dict,
    queue: dsl.Output[dsl.Artifact],
    compared: dsl.Input[list[dsl.Artifact]] | None = None,
    explanation: dsl.Input[dsl.Artifact] | None = None,
    explanations: dsl.Input[list[dsl.Artifact]] | None = None,
):
    """List what a person should look at, with reasons and thumbnails, as pages and as tasks for labelling software.

    Args:
        augmented: Parquet table of patches with folds and copies.
        samples: Parquet table of images.
        validated: Folders with `predictions.parquet`, one per part or candidate.
        promotion: JSON written by `promote_model`.
        review: Fields of `ReviewSettings`.
        queue: Folder with the queue, its page, its tasks and their images.
        compared: Folders written by `compare_champion`, where there are any.
        explanation: Folder written by `explain_cam`, where there is one.
        explanations: The same of several candidates.
    """
    from glassline.steps.queue_review import queue_review as step

    step(
        augmented.path,
        samples.path,
        [one.path for one in validated],
        [one.path for one in compared or []],
        [one.path for one in ([explanation] if explanation else explanations or [])],
        promotion.path,
        review,
        queue.path,
    )

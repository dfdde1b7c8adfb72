from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def write_report(
    samples: dsl.Input[dsl.Dataset],
    augmented: dsl.Input[dsl.Dataset],
    evaluation: dsl.Input[dsl.Artifact],
    comparison: dsl.Input[dsl.Dataset],
    explanation: dsl.Input[dsl.Artifact],
    embedding: dsl.Input[dsl.HTML],
    tracked: dsl.Input[dsl.HTML],
    analysis: dsl.Input[dsl.Artifact],
    held_out: dsl.Input[dsl.Dataset],
    promotion: dsl.Input[dsl.Artifact],
    model_name: str,
    metric_model: str,
    report: dsl.Output[dsl.HTML],
    segmentation: dsl.Input[dsl.Artifact] | None = None,
    queue: dsl.Input[dsl.Artifact] | None = None,
):
    """Write the report: one self-contained HTML page.

    Args:
        samples: Parquet table of images.
        augmented: Parquet table of patches with folds and copies.
        evaluation: Folder written by `evaluate_classifier`.
        comparison: Folder written by `compare_models`.
        explanation: Folder written by `explain_cam`.
        embedding: Fragment written by `embed_tsne`.
        tracked: The same of the metric network, the exported model's errors ringed.
        analysis: Folder written by `analyse_inputs`.
        held_out: Folder written by `hold_out`.
        promotion: JSON written by `promote_model`.
        model_name: Name of the exported model.
        metric_model: Name of the metric network.
        report: The page.
        segmentation: Folder written by `evaluate_segmentation`, where there is one.
        queue: Folder written by `queue_review`, where there is one.
    """
    from glassline.steps.write_report import write_report as step

    step(
        samples.path,
        augmented.path,
        evaluation.path,
        comparison.path,
        explanation.path,
        embedding.path,
        tracked.path,
        analysis.path,
        held_out.path,
        promotion.path,
        model_name,
        metric_model,
        report.path,
        segmentation.path if segmentation else "",
        queue.path if queue else "",
    )

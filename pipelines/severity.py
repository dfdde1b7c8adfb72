"""Severity: labelled images in, a detector that tells where defects are, how bad and of which type out."""

from kfp import dsl

from components.detect_defects.component import detect_defects
from components.evaluate_detection.component import evaluate_detection
from components.export_detector.component import export_detector
from components.label_severity.component import label_severity
from components.train_defect_types.component import train_defect_types
from components.train_regression.component import train_regression
from pipelines.cluster import PARALLELISM, placed


@dsl.pipeline(name="grade-defects", description="Labelled images in, a detector of defects and their severity out.")
def grade_defects(
    samples: dsl.Input[dsl.Dataset],
    content_hash: str,
    store: str,
    regression: dict,
    defect_types: dict,
    defects: dict,
    image_parts: list[int],
    image_part_count: int,
    seed: int,
    registered_model: str,
):
    """Wire the steps of the severity detection, the branch that `learn` takes where defects have a place."""
    labelled = placed(label_severity(samples=samples, content_hash=content_hash, regression=regression, seed=seed))
    labels = labelled.outputs["labels"]
    trained = placed(
        train_regression(
            samples=samples, labels=labels, content_hash=labelled.outputs["Output"], regression=regression, seed=seed,
            store=store,
        )
    )  # fmt: skip
    model = trained.outputs["model"]
    told_apart = placed(
        train_defect_types(
            samples=samples, labels=labels, model=model, defect_types=defect_types, defects=defects, seed=seed,
            store=store,
        )
    )  # fmt: skip
    types = told_apart.outputs["types"]
    with dsl.ParallelFor(image_parts, parallelism=PARALLELISM) as part:
        detected = placed(
            detect_defects(
                samples=samples, labels=labels, model=model, types=types, part=part, parts=image_part_count,
                defects=defects, store=store,
            )
        )  # fmt: skip
    evaluated = placed(
        evaluate_detection(
            samples=samples, labels=labels, model=model, found=dsl.Collected(detected.outputs["found"]), defects=defects
        )
    )
    placed(
        export_detector(
            samples=samples, labels=labels, model=model, types=types, evaluation=evaluated.outputs["evaluation"],
            defects=defects, registered_model=registered_model,
        )
    )  # fmt: skip

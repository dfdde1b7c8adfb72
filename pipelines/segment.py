"""Segment: labelled zones of captures in, a network that finds scratches and its verdicts out."""

from kfp import dsl

from components.evaluate_segmentation.component import evaluate_segmentation
from components.export_unet.component import export_unet
from components.judge_glasses.component import judge_glasses
from components.segment_captures.component import segment_captures
from components.train_unet.component import train_unet
from pipelines.cluster import PARALLELISM, placed


@dsl.pipeline(name="find-scratches", description="Labelled zones in, a network that finds scratches out.")
def find_scratches(
    samples: dsl.Input[dsl.Dataset],
    content_hash: str,
    store: str,
    segmentation: dict,
    seed: int,
    zone_parts: list[int],
    zone_part_count: int,
    tiles: dict,
    find: dict,
    max_fn_rate: float,
    registered_model: str,
) -> dsl.Artifact:
    """Wire the steps of the segmentation, the branch that `learn` takes for captures; returns its evaluation."""
    trained = placed(
        train_unet(samples=samples, content_hash=content_hash, segmentation=segmentation, seed=seed, store=store)
    )
    model = trained.outputs["model"]
    with dsl.ParallelFor(zone_parts, parallelism=PARALLELISM) as part:
        segmented = placed(
            segment_captures(
                samples=samples, model=model, part=part, parts=zone_part_count, tiles=tiles, find=find, store=store
            )
        )
    judged = placed(
        judge_glasses(
            segments=dsl.Collected(segmented.outputs["segments"]), samples=samples, model=model, max_fn_rate=max_fn_rate
        )
    )
    verdicts = judged.outputs["verdicts"]
    evaluated = placed(evaluate_segmentation(samples=samples, model=model, verdicts=verdicts, find=find))
    placed(
        export_unet(
            samples=samples, model=model, verdicts=verdicts, tiles=tiles, find=find, registered_model=registered_model
        )
    )
    return evaluated.outputs["evaluation"]

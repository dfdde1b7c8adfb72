"""End to end: a session of the rig in, an exported model out."""

from kfp import dsl

from components.close_run.component import close_run
from pipelines.capture import collect
from pipelines.cluster import placed, whole_run
from pipelines.retrain import learn


@dsl.pipeline(
    name="end-to-end", description="A session of the rig in, an exported model out.", pipeline_config=whole_run()
)
def end_to_end(
    session: str,
    session_hash: str,
    captures: str,
    annotations: str,
    annotations_sha256: str,
    annotations_format: str,
    label_model: str,
    label_model_sha256: str,
    merge: dict,
    proposals: bool,
    propose: dict,
    store: str,
    extract: dict,
    augment: dict,
    folds: int,
    fold_threads: int,
    fold_parts: list[list[int]],
    models: list[str],
    model_name: str,
    metric_model: str,
    baseline: str,
    training: dict,
    seed: int,
    candidates: list[dict],
    gate: dict,
    latency: dict,
    registered_model: str,
    segment: bool,
    segmentation: dict,
    zone_parts: list[int],
    zone_part_count: int,
    tiles: dict,
    find: dict,
    max_fn_rate: float,
    registered_segmenter: str,
    severity: bool,
    regression: dict,
    defect_types: dict,
    defects: dict,
    image_parts: list[int],
    image_part_count: int,
    registered_detector: str,
    reviews: str,
    reviews_format: str,
    reviews_hash: str,
    review: dict,
):
    """Chain `capture` and `retrain`; every argument is made by `EndToEndSettings.arguments`."""
    with dsl.ExitHandler(placed(close_run())):
        collected = collect(
            session=session, session_hash=session_hash, captures=captures, annotations=annotations,
            annotations_sha256=annotations_sha256, annotations_format=annotations_format, label_model=label_model,
            label_model_sha256=label_model_sha256, merge=merge, proposals=proposals, propose=propose,
        )  # fmt: skip
        learn(
            samples=collected.outputs["samples"], content_hash=collected.outputs["content_hash"], store=store,
            extract=extract, augment=augment, folds=folds, fold_threads=fold_threads, fold_parts=fold_parts,
            models=models, model_name=model_name, metric_model=metric_model, baseline=baseline, training=training,
            seed=seed, candidates=candidates, gate=gate, latency=latency, registered_model=registered_model,
            segment=segment, segmentation=segmentation, zone_parts=zone_parts, zone_part_count=zone_part_count,
            tiles=tiles, find=find, max_fn_rate=max_fn_rate, registered_segmenter=registered_segmenter,
            severity=severity, regression=regression, defect_types=defect_types, defects=defects,
            image_parts=image_parts, image_part_count=image_part_count, registered_detector=registered_detector,
            reviews=reviews, reviews_format=reviews_format, reviews_hash=reviews_hash, review=review,
        )  # fmt: skip

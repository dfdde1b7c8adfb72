"""Retrain: images in, models compared and explained, a bundle out."""

from kfp import dsl

from components.analyse_inputs.component import analyse_inputs
from components.apply_reviews.component import apply_reviews
from components.augment_samples.component import augment_samples
from components.close_run.component import close_run
from components.compare_champion.component import compare_champion
from components.compare_models.component import compare_models
from components.cross_validate.component import cross_validate
from components.embed_tsne.component import embed_tsne
from components.evaluate_classifier.component import evaluate_classifier
from components.explain_cam.component import explain_cam
from components.export_model.component import export_model
from components.extract_candidates.component import extract_candidates
from components.hold_out.component import hold_out
from components.import_images.component import import_images
from components.promote_model.component import promote_model
from components.queue_review.component import queue_review
from components.split_samples.component import split_samples
from components.train_ensemble.component import train_ensemble
from components.train_triplet.component import train_triplet
from components.write_report.component import write_report
from pipelines.cluster import PARALLELISM, placed, whole_run
from pipelines.segment import find_scratches
from pipelines.severity import grade_defects


@dsl.pipeline(name="learn", description="A table of images in, models compared and explained, a bundle out.")
def learn(
    samples: dsl.Input[dsl.Dataset],
    content_hash: str,
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
    """Wire the steps from a table of images on: what `retrain` and `end_to_end` share."""
    reviewed = placed(
        apply_reviews(samples=samples, reviews=reviews, reviews_format=reviews_format, reviews_hash=reviews_hash)
    )
    samples, content_hash = reviewed.outputs["reviewed"], reviewed.outputs["Output"]
    found = placed(extract_candidates(samples=samples, content_hash=content_hash, store=store, extract=extract))
    split = placed(
        split_samples(patches=found.outputs["patches"], content_hash=found.outputs["Output"], folds=folds, seed=seed)
    )
    copied = placed(augment_samples(split=split.outputs["split"], augment=augment, seed=seed))
    augmented, copied_hash = copied.outputs["augmented"], copied.outputs["Output"]
    with dsl.ParallelFor(fold_parts, parallelism=PARALLELISM) as part:
        validated = placed(
            cross_validate(
                augmented=augmented, content_hash=copied_hash, models=models, folds=part, training=training, seed=seed,
                store=store, threads=fold_threads,
            )
        )  # fmt: skip
    trained = placed(
        train_ensemble(
            augmented=augmented, content_hash=copied_hash, model_name=model_name, training=training, seed=seed,
            store=store,
        )
    )  # fmt: skip
    model = trained.outputs["model"]
    measured = placed(
        train_triplet(
            augmented=augmented, content_hash=copied_hash, model_name=metric_model, training=training, seed=seed,
            store=store,
        )
    )  # fmt: skip
    metric = measured.outputs["model"]
    analysed = placed(analyse_inputs(augmented=augmented, seed=seed))
    held_out = placed(
        hold_out(
            augmented=augmented, content_hash=copied_hash, models=models, training=training, seed=seed, store=store,
            threads=fold_threads,
        )
    )  # fmt: skip
    evaluated = placed(
        evaluate_classifier(
            predictions=dsl.Collected(validated.outputs["predictions"]), augmented=augmented, model_name=model_name
        )
    )
    evaluation = evaluated.outputs["evaluation"]
    compared = placed(compare_models(evaluation=evaluation, baseline=baseline, seed=seed))
    explained = placed(explain_cam(augmented=augmented, model=model, model_name=model_name, seed=seed))
    embedded = placed(embed_tsne(augmented=augmented, model=model, model_name=model_name, seed=seed))
    tracked = placed(
        embed_tsne(augmented=augmented, model=metric, model_name=metric_model, seed=seed, tracked=model)
    )  # fmt: skip
    placed(export_model(augmented=augmented, model=metric, model_name=metric_model, extract=extract))
    # A champion of a run that fails afterwards would be a model that nobody has compared or explained.
    # Exported inside the loop: kfp's local runner hands a loop its item for every text of a task outside of it.
    with dsl.ParallelFor(candidates) as candidate:
        exported = placed(export_model(augmented=augmented, model=model, model_name=model_name, extract=extract))
        beside = placed(
            compare_champion(
                augmented=augmented, bundle=exported.outputs["bundle"], export_run=exported.outputs["Output"],
                validated=evaluation, candidate=candidate, registered_model=registered_model, latency=latency,
            )
        )  # fmt: skip
    promoted = placed(
        promote_model(
            compared=dsl.Collected(beside.outputs["compared"]), registered_model=registered_model, gate=gate
        ).after(compared, explained)
    )
    queued = placed(
        queue_review(
            augmented=augmented, samples=samples, validated=dsl.Collected(validated.outputs["predictions"]),
            promotion=promoted.outputs["promotion"], review=review, explanation=explained.outputs["explanation"],
        )
    )  # fmt: skip
    told = {
        "samples": samples, "augmented": augmented, "evaluation": evaluation,
        "comparison": compared.outputs["comparison"], "explanation": explained.outputs["explanation"],
        "embedding": embedded.outputs["embedding"], "tracked": tracked.outputs["embedding"],
        "analysis": analysed.outputs["analysis"], "held_out": held_out.outputs["held_out"],
        "promotion": promoted.outputs["promotion"], "queue": queued.outputs["queue"],
        "model_name": model_name, "metric_model": metric_model,
    }  # fmt: skip
    with dsl.If(severity == True, name="severity"):  # noqa: E712 - kfp builds the condition of it
        grade_defects(
            samples=samples, content_hash=content_hash, store=store, regression=regression, defect_types=defect_types,
            defects=defects, image_parts=image_parts, image_part_count=image_part_count, seed=seed,
            registered_model=registered_detector,
        )  # fmt: skip
    # What a branch makes cannot leave it, so the report is written in either.
    with dsl.If(segment == True, name="segment"):  # noqa: E712 - kfp builds the condition of it
        segmented = find_scratches(
            samples=samples, content_hash=content_hash, store=store, segmentation=segmentation, seed=seed,
            zone_parts=zone_parts, zone_part_count=zone_part_count, tiles=tiles, find=find, max_fn_rate=max_fn_rate,
            registered_model=registered_segmenter,
        )  # fmt: skip
        placed(write_report(**told, segmentation=segmented.output))
    with dsl.Else(name="no-segment"):
        placed(write_report(**told))


@dsl.pipeline(
    name="retrain", description="Images in, models compared and explained, a bundle out.", pipeline_config=whole_run()
)
def retrain(
    data: str,
    data_hash: str,
    store: str,
    data_format: str,
    product: str,
    cycle: str,
    clean_class: str,
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
    """Wire the steps; every argument is made by `RetrainSettings.arguments`."""
    with dsl.ExitHandler(placed(close_run())):
        imported = placed(
            import_images(
                data=data, data_format=data_format, data_hash=data_hash, product=product, cycle=cycle,
                clean_class=clean_class,
            )
        )  # fmt: skip
        learn(
            samples=imported.outputs["samples"], content_hash=imported.outputs["Output"], store=store, extract=extract,
            augment=augment, folds=folds, fold_threads=fold_threads, fold_parts=fold_parts, models=models,
            model_name=model_name, metric_model=metric_model, baseline=baseline, training=training, seed=seed,
            candidates=candidates, gate=gate, latency=latency,
            registered_model=registered_model, segment=segment, segmentation=segmentation, zone_parts=zone_parts,
            zone_part_count=zone_part_count, tiles=tiles, find=find, max_fn_rate=max_fn_rate,
            registered_segmenter=registered_segmenter, severity=severity, regression=regression,
            defect_types=defect_types, defects=defects, image_parts=image_parts, image_part_count=image_part_count,
            registered_detector=registered_detector, reviews=reviews, reviews_format=reviews_format,
            reviews_hash=reviews_hash, review=review,
        )  # fmt: skip

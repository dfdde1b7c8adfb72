"""New cycle: a product's new labelled images in, a champion kept or replaced by what is provably better, out."""

from kfp import dsl

from components.apply_reviews.component import apply_reviews
from components.augment_samples.component import augment_samples
from components.check_cycle.component import check_cycle
from components.choose_sources.component import choose_sources
from components.close_run.component import close_run
from components.compare_champion.component import compare_champion
from components.explain_cam.component import explain_cam
from components.export_model.component import export_model
from components.extract_candidates.component import extract_candidates
from components.import_images.component import import_images
from components.promote_model.component import promote_model
from components.queue_review.component import queue_review
from components.split_samples.component import split_samples
from components.train_candidate.component import train_candidate
from components.write_cycle_report.component import write_cycle_report
from pipelines.cluster import PARALLELISM, placed, whole_run


@dsl.pipeline(
    name="new-cycle",
    description="A product's new images in, a champion kept or replaced out.",
    pipeline_config=whole_run(),
)
def new_cycle(
    data: str,
    data_hash: str,
    store: str,
    data_format: str,
    product: str,
    cycle: str,
    clean_class: str,
    reviews: str,
    reviews_format: str,
    reviews_hash: str,
    sources: list[dict],
    extract: dict,
    check: dict,
    augment: dict,
    folds: int,
    training: dict,
    affinity: dict,
    selection: dict,
    transfer: dict,
    gate: dict,
    latency: dict,
    review: dict,
    seed: int,
    registered_model: str,
):
    """Wire the steps; every argument is made by `NewCycleSettings.arguments`."""
    with dsl.ExitHandler(placed(close_run())):
        imported = placed(
            import_images(
                data=data, data_format=data_format, data_hash=data_hash, product=product, cycle=cycle,
                clean_class=clean_class, stated=True,
            )
        )  # fmt: skip
        reviewed = placed(
            apply_reviews(
                samples=imported.outputs["samples"], reviews=reviews, reviews_format=reviews_format,
                reviews_hash=reviews_hash,
            )
        )  # fmt: skip
        samples = reviewed.outputs["reviewed"]
        found = placed(
            extract_candidates(samples=samples, content_hash=reviewed.outputs["Output"], store=store, extract=extract)
        )
        split = placed(
            split_samples(
                patches=found.outputs["patches"], content_hash=found.outputs["Output"], folds=folds, seed=seed,
                strict=False,  # check_cycle names all that is too few at once
            )
        )  # fmt: skip
        checked = placed(
            check_cycle(
                split=split.outputs["split"], samples=samples, product=product, cycle=cycle,
                registered_model=registered_model, check=check,
            )
        )  # fmt: skip
        copied = placed(augment_samples(split=split.outputs["split"], augment=augment, seed=seed).after(checked))
        augmented = copied.outputs["augmented"]
        chosen = placed(
            choose_sources(
                target=augmented, content_hash=copied.outputs["Output"], sources=sources, extract=extract,
                registered_model=registered_model, affinity=affinity, selection=selection, transfer=transfer, seed=seed,
                store=store,
            )
        )  # fmt: skip
        with dsl.ParallelFor(checked.outputs["Output"], parallelism=PARALLELISM) as candidate:
            name = candidate.__getattr__("name")  # that of the candidate: `.name` is that of the loop's item
            trained = placed(
                train_candidate(
                    augmented=augmented, content_hash=chosen.outputs["Output"], candidate=candidate,
                    chosen=chosen.outputs["chosen"], registered_model=registered_model, training=training, seed=seed,
                    store=store,
                )
            )  # fmt: skip
            exported = placed(
                export_model(
                    augmented=augmented, model=trained.outputs["model"], model_name=name, extract=extract, strict=False
                )
            )
            compared = placed(
                compare_champion(
                    augmented=augmented, bundle=exported.outputs["bundle"], export_run=exported.outputs["Output"],
                    validated=trained.outputs["validated"], candidate=candidate, registered_model=registered_model,
                    latency=latency,
                )
            )  # fmt: skip
            explained = placed(
                explain_cam(augmented=augmented, model=trained.outputs["model"], model_name=name, seed=seed)
            )
        promoted = placed(
            promote_model(
                compared=dsl.Collected(compared.outputs["compared"]), registered_model=registered_model, gate=gate
            )
        )
        queued = placed(
            queue_review(
                augmented=augmented, samples=samples, validated=dsl.Collected(trained.outputs["validated"]),
                compared=dsl.Collected(compared.outputs["compared"]), promotion=promoted.outputs["promotion"],
                explanations=dsl.Collected(explained.outputs["explanation"]), review=review,
            )
        )  # fmt: skip
        placed(
            write_cycle_report(
                samples=samples, augmented=augmented, checked=checked.outputs["checked"],
                chosen=chosen.outputs["chosen"], validated=dsl.Collected(trained.outputs["validated"]),
                compared=dsl.Collected(compared.outputs["compared"]), promotion=promoted.outputs["promotion"],
                queue=queued.outputs["queue"], product=product, cycle=cycle,
            )
        )  # fmt: skip

"""Transfer: a new product with few labels and older sets in, a classifier that learned from those that help out."""

from kfp import dsl

from components.close_run.component import close_run
from components.cut_patches.component import cut_patches
from components.evaluate_transfer.component import evaluate_transfer
from components.export_transfer.component import export_transfer
from components.import_images.component import import_images
from components.import_source.component import import_source
from components.localise_defects.component import localise_defects
from components.measure_affinity.component import measure_affinity
from components.select_sources.component import select_sources
from components.split_samples.component import split_samples
from components.train_transfer.component import train_transfer
from pipelines.cluster import PARALLELISM, placed, whole_run


@dsl.pipeline(
    name="transfer",
    description="A new product and older sets in, a classifier that learned from both out.",
    pipeline_config=whole_run(),
)
def transfer(
    data: str,
    data_hash: str,
    store: str,
    data_format: str,
    product: str,
    cycle: str,
    clean_class: str,
    cut: dict,
    sources: list[dict],
    folds: int,
    affinity: dict,
    selection: dict,
    transfer: dict,
    localise: dict,
    seed: int,
    registered_model: str,
):
    """Wire the steps; every argument is made by `TransferRunSettings.arguments`."""
    with dsl.ExitHandler(placed(close_run())):
        imported = placed(
            import_images(
                data=data, data_format=data_format, data_hash=data_hash, product=product, cycle=cycle,
                clean_class=clean_class,
            )
        )  # fmt: skip
        samples = imported.outputs["samples"]
        windows = placed(cut_patches(samples=samples, content_hash=imported.outputs["Output"], cut=cut, store=store))
        split = placed(
            split_samples(
                patches=windows.outputs["patches"], content_hash=windows.outputs["Output"], folds=folds, seed=seed
            )
        )
        target = split.outputs["split"]
        with dsl.ParallelFor(sources, parallelism=PARALLELISM) as source:
            older = placed(import_source(source=source, cut=cut, store=store))
        measured = placed(
            measure_affinity(
                sources=dsl.Collected(older.outputs["patches"]), target=target, content_hash=windows.outputs["Output"],
                sources_hashes=dsl.Collected(older.outputs["Output"]), folds=folds, affinity=affinity,
                transfer=transfer, seed=seed, store=store,
            )
        )  # fmt: skip
        found = measured.outputs["measured"]
        chosen = placed(select_sources(measured=found, selection=selection)).outputs["chosen"]
        told = {
            "samples": samples, "target": target, "selection": chosen, "content_hash": measured.outputs["Output"],
            "cut": cut, "transfer": transfer, "seed": seed, "store": store,
        }  # fmt: skip
        trained, of_all, of_random, of_none = (
            placed(train_transfer(**told, sources=dsl.Collected(older.outputs["patches"]), arm=arm))
            for arm in ("dataonomy", "all", "random", "none")
        )
        model, evaluation = trained.outputs["model"], trained.outputs["evaluation"]
        located = placed(
            localise_defects(
                samples=samples, split=target, model=model, cut=cut, localise=localise,
                content_hash=trained.outputs["Output"], store=store,
            )
        ).outputs["located"]  # fmt: skip
        placed(
            export_transfer(
                target=target, model=model, evaluation=evaluation, located=located, cut=cut, localise=localise,
                registered_model=registered_model,
            )
        )  # fmt: skip
        placed(
            evaluate_transfer(
                samples=samples, measured=found, chosen=chosen, evaluation=evaluation,
                of_all=of_all.outputs["evaluation"], of_random=of_random.outputs["evaluation"],
                of_none=of_none.outputs["evaluation"], located=located,
            )
        )  # fmt: skip

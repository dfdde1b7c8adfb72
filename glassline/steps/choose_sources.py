"""Choose by Dataonomy what a new product's candidates learn from first."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glassline.analysis.affinity import AffinitySettings
from glassline.analysis.heads import draw_rows
from glassline.analysis.selection_reasons import explain
from glassline.analysis.source_selection import Selection, SelectionSettings
from glassline.analysis.source_selection import select_sources as select
from glassline.analysis.target_split import NoSplitError, split_target
from glassline.data.balanced import draw_per_class
from glassline.data.pooled_table import pool_sources
from glassline.data.samples import SampleTable, read_samples
from glassline.data.sources import Source, sources_of
from glassline.data.storage import folder_hash, written_whole
from glassline.data.store import Store, open_store
from glassline.errors import DataError
from glassline.steps.cycle.offered_sources import offered_tables
from glassline.steps.measure_affinity import feature_base
from glassline.steps.select_sources import FIGURE, REASONS, SELECTION
from glassline.steps.train_ensemble import training_rows
from glassline.tracking import StepRun, step_run
from glassline.training.transfer_gain import with_contrast

#: File of the chosen patches, missing where nothing was chosen.
CHOSEN = "sources.parquet"

# Patches of a source that the base of the affinities is trained on: it need not know all of them.
_OF_BASE = 1000


def choose_sources(
    target_path: str, content_hash: str, sources: Sequence[Mapping[str, Any]], extract: Mapping[str, Any],
    registered_model: str, affinity: Mapping[str, Any], selection: Mapping[str, Any], transfer: Mapping[str, Any],
    seed: int, store: str, chosen_path: str,
) -> str:  # fmt: skip
    """Choose sources under a budget of samples, and keep the patches of the chosen ones as one table.

    Sources are listed data sets, and the table that the product's champion learned from. Their patches are made as the
    target's. Rows that the target has too, and what the champion was tested on, are left out: a candidate that learned
    from those would be judged on what it knows. A source larger than the budget is thinned to it. Of one source alone
    no affinity is measured. Where the target has no clean class, or too few groups, to compare sources by, they share
    the budget.

    Args:
        target_path: Table of patches with folds.
        content_hash: Its content hash; results of other content are not taken from a cache.
        sources: Fields of `SourceData`, one mapping per data set; may be empty.
        extract: Fields of `ExtractSettings` that the target's patches were made with.
        registered_model: Name of the product's classifier in the registry.
        affinity: Fields of `AffinitySettings`; `by: table` compares whole sets, which have classes to tell apart.
        selection: Fields of `SelectionSettings`.
        transfer: Fields of `TransferSettings` of the base network that affinity is measured with; a small one will do.
        seed: Seed of draws and fits.
        store: Folder or S3 URL for patches, checkpoints and the base.
        chosen_path: Folder for `sources.parquet` (only where a source was chosen), `selection.json`,
            `reasons.parquet` and a figure.

    Returns:
        Hash of the folder.

    Raises:
        DataError: A set changed since the run was submitted, or breaks a rule; the target has no folds; comparisons
            contradict each other.
        TrackingError: The registry does not answer.
    """
    params = {"sources": list(sources), "affinity": dict(affinity), "selection": dict(selection), "seed": seed}
    with step_run("choose_sources", params) as run:
        target, place = read_samples(target_path, "patches", extra=["fold"]), open_store(store)
        tables = offered_tables(run, target, sources, extract, registered_model, store)
        how = SelectionSettings.parse(selection)
        settings = AffinitySettings.parse(affinity)
        offered = [_thinned(one, how.budget, seed) for one in (sources_of(tables, settings.by) if tables else [])]
        if len(offered) < 2:
            chosen, told = offered, None
            run.note(f"{offered[0].name} is the only source" if offered else "no source is offered")
        else:
            chosen, told = _chosen(run, offered, target, settings, how, transfer, seed, place)
        learned = _learnable(run, chosen)
        pool = pool_sources(learned, target, place) if learned else None
        _write(run, pool, told, [source.name for source in chosen], chosen_path)
        return folder_hash(chosen_path)


def _thinned(source: Source, budget: int, seed: int) -> Source:
    """Return a source of at most `budget` rows, as many of each class as there are."""
    if len(source) <= budget:
        return source
    classes = source.table.rows["label"].iloc[source.rows_N].nunique()
    part = source.table.with_rows(source.table.rows.iloc[source.rows_N])
    return replace(source, rows_N=source.rows_N[draw_per_class(part, np.arange(len(source)), budget // classes, seed)])


def _chosen(
    run: StepRun, offered: list[Source], target: SampleTable, settings: AffinitySettings, how: SelectionSettings,
    transfer: Mapping[str, Any], seed: int, store: Store,
) -> tuple[list[Source], Selection | None]:  # fmt: skip
    """Return what is chosen by affinity; where the target cannot tell, all sources share the budget."""
    try:
        told = _selected(run, offered, target, settings, how, transfer, seed, store)
    except NoSplitError as error:
        run.note(f"{len(offered)} sources share the budget, they cannot be compared: {error}")
        parts = [_thinned(one, how.budget // len(offered), seed) for one in offered]
        return [one for one in parts if len(one)], None
    return [source for source in offered if source.name in told.sources], told


def _selected(
    run: StepRun, offered: list[Source], target: SampleTable, settings: AffinitySettings, how: SelectionSettings,
    transfer: Mapping[str, Any], seed: int, store: Store,
) -> Selection:  # fmt: skip
    """Return the choice by measured affinity."""
    from glassline.training.settings import TransferSettings
    from glassline.training.source_affinity import measured_affinity

    split_target(target, training_rows(target), settings.held_share, seed)  # refused before a base is trained
    few = [replace(one, rows_N=draw_rows(one, _OF_BASE, seed)) for one in offered]
    base = feature_base(run, few, TransferSettings.parse(transfer), seed, store)
    affinity = measured_affinity(
        base, offered, target, training_rows(target), settings, seed,
        lambda done, total: run.progress(done, total, "sources compared"),
    )  # fmt: skip
    run.table(affinity.to_frame(), "affinity")
    run.metrics({"consistency_ratio": float(affinity.consistency_T[0])})
    return select(affinity, [len(one) for one in offered], how)


def _learnable(run: StepRun, chosen: Sequence[Source]) -> list[Source]:
    """Return what classes can be told apart with: a class of defects alone comes with the clean class of its table."""
    labels = {label for one in chosen for label in one.table.rows["label"].iloc[one.rows_N]}
    if len(labels) > 1:
        return list(chosen)
    found = {more.name: more for one in chosen for more in with_contrast(one)}
    if chosen and not found:
        run.note(f"nothing is learned from {[one.name for one in chosen]}: there is no second class to tell apart")
    return list(found.values())


def _write(run: StepRun, pool: SampleTable | None, told: Selection | None, names: list[str], chosen_path: str) -> None:
    from glassline.report.affinity import selection_figure
    from glassline.report.figures import save_figure

    with written_whole(chosen_path) as beside:
        beside.mkdir(parents=True)
        if pool is not None:
            pool.write(beside / CHOSEN)
        if told is None:
            (beside / SELECTION).write_text(json.dumps({"chosen": names}, indent=1))
        else:
            told.write(beside / SELECTION)
            reasons, figure = explain(told), selection_figure(told)
            reasons.to_parquet(beside / REASONS)
            save_figure(figure, beside / FIGURE)
            run.table(reasons, "reasons")
            run.figure(figure, "selection")
    run.metrics({"sources": len(names), "samples": 0 if pool is None else len(pool.rows)})
    run.tags({"sources": ", ".join(names)})


def read_chosen(chosen_path: str) -> tuple[tuple[str, ...], SampleTable | None]:
    """Return the names of the chosen sources and their patches, None where there are none.

    Raises:
        DataError: The folder was not written by `choose_sources`.
    """
    folder = Path(chosen_path)
    try:
        names = tuple(json.loads((folder / SELECTION).read_text())["chosen"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} must tell chosen sources, got none ({error}); run choose_sources again") from error
    return names, read_samples(folder / CHOSEN, "patches") if (folder / CHOSEN).is_file() else None

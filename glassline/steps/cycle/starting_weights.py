"""What weights a candidate of a cycle starts from: none, the champion's, or those after chosen sources."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassline.data.samples import SampleTable
from glassline.data.storage import code_hash, content_key
from glassline.data.store import Store
from glassline.data.unseen import shared_rows
from glassline.deploy.last_cycle import champion_start
from glassline.errors import SettingsError
from glassline.models.settings import METRIC_MODEL_NAMES
from glassline.steps.choose_sources import read_chosen
from glassline.steps.cycle.offered_sources import older_table
from glassline.steps.train_triplet import with_pairs
from glassline.tracking import StepRun
from glassline.tracking.champion import Champion, find_champion
from glassline.training.candidate import CHAMPION, SCRATCH, SOURCES, Candidate
from glassline.training.settings import TrainingSettings

if TYPE_CHECKING:
    from glassline.training.warm_start import WarmStart


def starting_weights(
    run: StepRun, candidate: Candidate, table: SampleTable, chosen_path: str, registered_model: str,
    settings: TrainingSettings, seed: int, store: Store,
) -> "WarmStart | None":  # fmt: skip
    """Return what a candidate starts from, None where that is random weights.

    From sources starts what was trained on them, beginning with the champion's weights where it is the same model.
    Weights of the champion that are damaged or were not kept are noted, and random ones take their place.

    Args:
        run: Where it is told.
        candidate: The candidate.
        table: Table of patches that it is trained on.
        chosen_path: Folder written by `choose_sources`.
        registered_model: Name of the product's classifier in the registry.
        settings: How it is trained, on sources too.
        seed: Seed of that fit.
        store: Where models of sources are kept.

    Raises:
        SettingsError: It starts from the champion, which is another model.
        DataError: The folder of chosen sources was not written by `choose_sources`.
        TrackingError: The registry does not answer.
    """
    if candidate.start == SCRATCH:
        return None
    current = find_champion(registered_model)
    champion = _weights_of(run, current) if current else None
    same = champion is not None and champion.fitted.name == candidate.model
    if candidate.start == CHAMPION and champion is None:
        run.note(f"{candidate.name} starts from random weights: {registered_model} has no champion to start from")
        return None
    if candidate.start == CHAMPION and not same:
        assert champion
        raise SettingsError(
            f"{candidate.name} must be the champion's model to start from it, {champion.fitted.name}, got "
            f"{candidate.model}; start from scratch or sources"
        )
    if same:
        assert current
        _note_seen(run, table, current)
    if candidate.start == SOURCES:
        return _of_sources(run, candidate, chosen_path, champion if same else None, settings, seed, store)
    return champion


def _weights_of(run: StepRun, champion: Champion) -> "WarmStart | None":
    from glassline.training.warm_start import WarmStart

    network, why = champion_start(champion)
    if network is None:
        run.note(why)
        return None
    return WarmStart(f"version {champion.version} of {champion.name}", network)


def _note_seen(run: StepRun, table: SampleTable, champion: Champion) -> None:
    """Tell how much of what is cross-validated the champion may have learnt from."""
    older = older_table(run, champion)
    if older is None:
        run.note("what the champion learned from is not known: it may have seen units that are cross-validated")
        return
    seen = table.rows["unit"][shared_rows(table, older)].nunique()
    if seen:
        run.note(
            f"the champion learned from the data set of {seen} of {table.rows['unit'].nunique()} units that are "
            "cross-validated: their figures flatter this candidate"
        )


def _of_sources(
    run: StepRun, candidate: Candidate, chosen_path: str, champion: "WarmStart | None", settings: TrainingSettings,
    seed: int, store: Store,
) -> "WarmStart | None":  # fmt: skip
    """Return the model after the chosen sources; what was trained before is read from the store."""
    from glassline.training.fitted import load_fitted, save_fitted
    from glassline.training.loop import fit_model
    from glassline.training.warm_start import WarmStart

    names, pool = read_chosen(chosen_path)
    if pool is None:
        run.note("no source was chosen to start from: " + ("the champion alone is" if champion else "from scratch"))
        return champion
    alone, train_N = settings.model_copy(update={"patience": 0}), np.arange(len(pool.rows))
    if candidate.model in METRIC_MODEL_NAMES:
        train_N = with_pairs(run, pool, train_N, candidate.model)
    what = [
        candidate.model, pool.content_hash(), alone.model_dump(), seed, champion.content_hash() if champion else "",
        code_hash("models", "training", "vision"),
    ]  # fmt: skip

    def make(folder: Path) -> None:
        fitted = fit_model(
            candidate.model, pool, train_N, train_N[:0], alone, seed, store.below("checkpoints"),
            lambda epoch, values: run.metrics({f"sources_{key}": value for key, value in values.items()}, step=epoch),
            start=champion,
        )  # fmt: skip
        save_fitted(replace(fitted, sources=names), folder)

    kept = store.made(f"pretrained/{content_key(what)}", make)
    before = f", from {champion.name}" if champion else ""
    return WarmStart(f"{', '.join(names)} ({len(train_N)} patches{before})", load_fitted(kept.whole()))

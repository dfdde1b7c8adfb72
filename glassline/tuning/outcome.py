"""What a search found: best settings, a table of trials, figures and a page, in a folder and on the study's run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml
from optuna.trial import FrozenTrial, TrialState

from glassline.data.storage import written_whole
from glassline.errors import ModelError
from glassline.settings import Settings
from glassline.tracking import StepRun, commit
from glassline.tuning.study import ERROR, Study, importances
from glassline.tuning.subject import Subject, with_values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Files of a search's folder.
BEST, TRIALS, PAGE = "best.yaml", "trials.csv", "tune.html"


@dataclass(frozen=True)
class Retraining:
    """How to train with what was found.

    Attributes:
        settings: Settings of `retrain`, by dotted name.
        command: The command that sets them.
    """

    settings: dict[str, Any]
    command: str


#: Tells it of the best settings, and of the names of those that were searched.
AsRetraining = Callable[[Any, Sequence[str]], Retraining]


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes:
        objective: The metric that trials were compared by.
        score: The best one's, 0 to 1.
        settings: What was searched, as the best trial had it.
        trials: One row per trial: trial, state (`complete`, `pruned`, `failed`), score, epochs, seconds, its settings
            by dotted name and its metrics.
        retraining: How to train with the best settings.
    """

    objective: str
    score: float
    settings: dict[str, Any]
    trials: pd.DataFrame
    retraining: Retraining


def write_outcome(
    study: Study, subject: Subject, base: Settings, run: StepRun, out: Path, retraining: AsRetraining
) -> Outcome:  # fmt: skip
    """Write `best.yaml`, `trials.csv`, figures and `tune.html` into a folder, and log them.

    Raises:
        ModelError: No trial came to its end; tells why the last one did not.
    """
    from glassline.report.figures import save_figure
    from glassline.report.tuning_page import write_tuning_page

    ended = study.trials()
    best = _best(ended)
    settings, trials = best.user_attrs["settings"], _table(ended, subject)
    again = retraining(with_values(base, settings), list(settings))
    outcome = Outcome(subject.objective, float(best.value or 0), settings, trials, again)
    _write_best(outcome, subject, out / BEST)
    with written_whole(out / TRIALS) as beside:
        trials.to_csv(beside, index=False)
    pictures = _figures(study, outcome)
    for name, figure in pictures.items():
        save_figure(figure, out / f"{name}.png")
        run.figure(figure, name)
    facts = {
        "method": subject.method, "judged on": subject.judged_on, "data": subject.data_hash,
        "seed": str(subject.seed), "git commit": commit(),
    }  # fmt: skip
    shown = {name: (out / f"{name}.png").read_bytes() for name in pictures}
    write_tuning_page(
        outcome.objective, outcome.score, settings, trials, study.plan.axes, shown, facts, again.command, out / PAGE
    )
    run.table(trials, "trials")
    for name in (BEST, TRIALS, PAGE):
        run.artifact(out / name)
    counts = {f"trials_{state}": float((trials["state"] == state).sum()) for state in ("complete", "pruned", "failed")}
    run.metrics({**best.user_attrs["metrics"], **counts})
    return outcome


def _best(ended: list[FrozenTrial]) -> FrozenTrial:
    """Return the earliest of the trials with the highest score."""
    complete = [one for one in ended if one.state == TrialState.COMPLETE]
    if not complete:
        why = ended[-1].user_attrs.get(ERROR, "pruned")
        raise ModelError(f"a trial must come to its end, got none of {len(ended)}, the last one for: {why}")
    return max(complete, key=lambda one: (one.value, -one.number))


def _table(ended: list[FrozenTrial], subject: Subject) -> pd.DataFrame:
    states = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
    rows = []
    for one in ended:
        told = one.user_attrs
        score = one.value if one.state == TrialState.COMPLETE else None  # Optuna's of a pruned one is its last epoch's
        about = {
            "trial": one.number, "state": states[one.state], "score": score,
            "epochs": len(one.intermediate_values), "seconds": round(told["seconds"], 1),
        }  # fmt: skip
        rows.append({**about, **told["settings"], **told["metrics"]})
    return pd.DataFrame(rows).astype({"score": "float64"})


def _write_best(outcome: Outcome, subject: Subject, path: Path) -> None:
    """Write the settings as groups of `retrain`, and how they were found as comments."""
    lines = [
        f"# {subject.method}: {outcome.objective} {outcome.score:.4f} on {subject.judged_on}, best of "
        f"{len(outcome.trials)} trials, seed {subject.seed}",
        f"# data {subject.data_hash}",
        f"# {outcome.retraining.command}",
    ]
    groups: dict[str, Any] = {}
    for name, value in outcome.retraining.settings.items():
        *path_to, last = name.split(".")
        inner = groups
        for group in path_to:
            inner = inner.setdefault(group, {})
        inner[last] = value
    with written_whole(path) as beside:
        beside.write_text("\n".join([*lines, yaml.safe_dump(groups, sort_keys=False)]))


def _figures(study: Study, outcome: Outcome) -> "dict[str, Figure]":
    from glassline.report.tuning import history_figure, importance_figure, slice_figure
    from glassline.report.tuning_grid import grid_figure

    axes = [axis.setting for axis in study.plan.axes]
    log = [axis.setting for axis in study.plan.axes if axis.log]
    figures = {"history": history_figure(outcome.trials, outcome.objective)}
    if study.plan.grid:
        figures = {"tuning": grid_figure(outcome.trials, axes), **figures}
    if found := importances(study):
        figures["importances"] = importance_figure(found)
    figures["slices"] = slice_figure(outcome.trials, axes, log, outcome.objective)
    return figures

"""The study: Optuna's memory of all trials in one SQLite file, which every later try of the command continues.

A trial that was killed is marked as failed and tried again: as what is drawn depends on the seed and on the trials that
ended, the next one gets the same settings, resumes from the same checkpoints, and the study ends as if unbroken. What
kills every process would be drawn for ever: settings that two processes died of in the same epoch have failed.
"""

import itertools
import json
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from glassline.errors import ModelError, StorageError
from glassline.tuning.spaces import Axis, Value

#: Significant figures of a number that is drawn, so that people can read it and type it.
_FIGURES = 3
_RUN = "mlflow_run"

#: What is remembered of a trial whose fit failed by itself; a killed one has none.
ERROR = "error"
#: What is remembered of a trial whose process was stopped for a reason that is none of its settings.
_LET_GO = "let_go"

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True)
class Plan:
    """What a study looks for. One of another plan is never continued.

    Attributes:
        axes: Settings that are searched.
        grid: Whether every combination is tried, unpruned, instead of drawing.
        seed: Seed of the draws.
        epochs: Epochs of a trial's first fit.
        identity: What else makes two studies the same, name to value.
    """

    axes: Sequence[Axis]
    grid: bool
    seed: int
    epochs: int
    identity: dict[str, str]

    @property
    def combinations(self) -> list[dict[str, Value]]:
        """Every combination of the axes' choices, the last axis fastest."""
        names = [axis.setting for axis in self.axes]
        return [dict(zip(names, one, strict=True)) for one in itertools.product(*(axis.choices for axis in self.axes))]

    @property
    def told(self) -> dict[str, str]:
        """All that makes two studies the same."""
        searched = {axis.setting: axis.told for axis in self.axes}
        return {**self.identity, "search": json.dumps([searched, self.grid]), "seed": str(self.seed)}


class Study:
    """Trials of a plan, in a file."""

    def __init__(self, study: optuna.Study, plan: Plan, path: Path) -> None:
        """Wrap an Optuna study; see `open_study`."""
        self.optuna, self.plan, self.path = study, plan, path

    @property
    def run_id(self) -> str | None:
        """The study's run in MLflow, None before it has one."""
        return self.optuna.user_attrs.get(_RUN)

    def keep_run(self, run_id: str) -> None:
        """Remember the study's run."""
        with answers(self.path):
            self.optuna.set_user_attr(_RUN, run_id)

    def trials(self) -> list[FrozenTrial]:
        """Return the trials that ended, killed ones aside: those that count."""
        with answers(self.path):
            return [one for one in self.optuna.get_trials(deepcopy=False) if _counts(one)]

    def earlier(self, trial: Trial) -> dict[int, float]:
        """Return what killed tries of the same trial reported: its fit goes on behind the last of these epochs."""
        with answers(self.path):
            found = self.optuna.get_trials(deepcopy=False)
        same = [one for one in found if _killed(one) and one.params == trial.params]
        return {step: score for one in same for step, score in one.intermediate_values.items()}

    def refuse_deadly(self, trial: Trial) -> None:
        """Refuse settings that the last two processes died of, the second no epoch further than the first.

        Raises:
            ModelError: They are.
        """
        with answers(self.path):
            found = self.optuna.get_trials(deepcopy=False)
        died = [one for one in found if _killed(one) and _LET_GO not in one.user_attrs and one.params == trial.params]
        reached = [len(one.intermediate_values) for one in died[-2:]]
        if len(reached) == 2 and reached[0] == reached[1]:
            raise ModelError(
                f"a trial must leave its process alive, two died after {reached[0]} epochs of it; it is passed over, "
                "free memory, or fix a smaller setting by --set, to search without it"
            )

    def let_go(self, trial: Trial) -> None:
        """Remember that a trial was stopped for a reason that is none of its settings."""
        with suppress(StorageError), answers(self.path):  # what stopped it is told
            trial.set_user_attr(_LET_GO, True)

    def ask(self) -> tuple[Trial, dict[str, Value]]:
        """Start a trial and return it with its settings."""
        ended = self.trials()
        state = np.random.SeedSequence([self.plan.seed, len(ended)]).generate_state(1)
        with answers(self.path):
            self.optuna.sampler = optuna.samplers.TPESampler(seed=int(state[0]))
            if self.plan.grid:
                self._queue(ended)
            trial = self.optuna.ask()
            return trial, {axis.setting: _readable(_drawn(trial, axis)) for axis in self.plan.axes}

    def report(self, trial: Trial, step: int, score: float) -> None:
        """Report the score of an epoch; it may be reported again.

        Raises:
            TrialPruned: The trial is worse than half of those before.
        """
        with answers(self.path):
            if math.isnan(score) or step in self._frozen(trial).intermediate_values:
                return
            trial.report(score, step)
            if trial.should_prune():
                raise optuna.TrialPruned

    def tell(self, trial: Trial, score: float | None, state: TrialState, about: dict[str, object]) -> None:
        """End a trial.

        Args:
            trial: The trial.
            score: Its score, None where it was pruned or failed.
            state: How it ended.
            about: What is remembered of it; `ERROR` of one that failed.
        """
        with answers(self.path):
            for name, value in about.items():
                trial.set_user_attr(name, value)
            self.optuna.tell(trial, score, state)

    def _frozen(self, trial: Trial) -> FrozenTrial:
        return self.optuna.get_trials(deepcopy=False)[trial.number]

    def _queue(self, ended: Sequence[FrozenTrial]) -> None:
        """Queue the first combination that no trial has ended with."""
        if not any(one.state == TrialState.WAITING for one in self.optuna.get_trials(deepcopy=False)):
            done = [one.params for one in ended]
            self.optuna.enqueue_trial(next(one for one in self.plan.combinations if one not in done))


@contextmanager
def answers(path: Path) -> Iterator[None]:
    """Turn what the study's file raises into one error with a remedy."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise StorageError(
            f"{path} must be a file that can be written, got: {' '.join(str(error).split())[:160]}; free space or mend "
            "it, and give the command again"
        ) from error


def importances(study: Study) -> dict[str, float]:
    """Return how much of the scores' variance each setting explains, adding up to 1; empty for a handful of trials."""
    ended = [one for one in study.trials() if one.state == TrialState.COMPLETE]
    if len(ended) < 4 or len({one.value for one in ended}) < 2 or len(study.plan.axes) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=study.plan.seed)
    with warnings.catch_warnings(), answers(study.path):
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.importance.get_param_importances(study.optuna, evaluator=evaluator)


def _killed(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL and ERROR not in trial.user_attrs


def _counts(trial: FrozenTrial) -> bool:
    return trial.state.is_finished() and not _killed(trial)


def _drawn(trial: Trial, axis: Axis) -> Value:
    if axis.choices:
        return cast(Value, trial.suggest_categorical(axis.setting, axis.choices))
    return trial.suggest_float(axis.setting, axis.low, axis.high, log=axis.log)


def _readable(value: Value) -> Value:
    return float(f"{value:.{_FIGURES}g}") if isinstance(value, float) else value

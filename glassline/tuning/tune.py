"""Search the settings of a method: every trial a run in MLflow, the whole a study that a killed command continues."""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.trial import Trial, TrialState

from glassline.data.alone import alone
from glassline.data.storage import ready_folder
from glassline.data.store import Store, open_store
from glassline.errors import GlasslineError, ModelError, SettingsError
from glassline.settings import Settings
from glassline.tracking import StepRun, close_pipeline_run, tracking_uri
from glassline.tracking.studies import STATE, open_study_run
from glassline.tuning.outcome import AsRetraining, Outcome, write_outcome
from glassline.tuning.spaces import GRIDS, SPACES, Axis, Value
from glassline.tuning.study import ERROR, Plan, Study
from glassline.tuning.study_file import open_study
from glassline.tuning.subject import OF_MACHINE, Subject, Watch, with_values

#: File of the study in the folder of a search.
STUDY = "study.db"

_OF_MEMORY = re.compile(r"out of memory|not enough memory|t allocate memory|ALLOC_FAILED")


@dataclass(frozen=True)
class Search:
    """What is asked for.

    Attributes:
        base: Settings that the search starts from, as `default_settings` returns them.
        fixed: Dotted names of those that stay as they are, groups of them included.
        trials: Trials that end in all, killed ones aside; a grid has as many as it has combinations.
        grid: Try every combination of the method's grid instead.
    """

    base: Settings
    fixed: Sequence[str] = ()
    trials: int = 20
    grid: bool = False

    def axes(self, method: str) -> list[Axis]:
        """Return the settings of a method that are searched.

        Raises:
            SettingsError: The method has no grid, or every setting is fixed.
        """
        if self.grid and method not in GRIDS:
            raise SettingsError(f"--grid needs a method of {', '.join(GRIDS)}, got {method}; leave --grid out")
        space = (GRIDS if self.grid else SPACES)[method]
        left = [axis for axis in space if not any(f"{axis.setting}.".startswith(f"{name}.") for name in self.fixed)]
        if not left:
            names = ", ".join(axis.setting for axis in space)
            raise SettingsError(f"a search needs a setting that --set leaves open, got none of {names}; leave one out")
        return left


def tune(search: Search, subject: Subject, out: Path, retraining: AsRetraining) -> Outcome:
    """Search until enough trials have ended, and write what was found.

    Args:
        search: What is asked for.
        subject: What is tuned.
        out: Folder for the study, the checkpoints of running trials, tables, figures and the page.
        retraining: Tells how to train with the best settings.

    Raises:
        SettingsError: Nothing is to be searched, or `out` holds a study of something else.
        DataError: The study's file is broken, or the data cannot be trained on.
        ModelError: No trial came to its end.
        StorageError: Another command works in `out`, or its disk is full.
    """
    if search.trials < 1:
        raise SettingsError(f"--trials must be >= 1, got {search.trials}; raise it")
    axes, identity = search.axes(subject.method), _identity(search, subject)
    plan = Plan(axes, search.grid, subject.seed, search.base.model_dump()["epochs"], identity)
    ready_folder(out)
    with alone(out), open_study(out / STUDY, plan) as study, _run_of(study, subject, search, out) as run:
        _search(study, subject, search, run, open_store(out / "checkpoints"))
        return write_outcome(study, subject, search.base, run, out, retraining)


def _identity(search: Search, subject: Subject) -> dict[str, str]:
    settings = {name: value for name, value in search.base.model_dump(mode="json").items() if name not in OF_MACHINE}
    return {
        "method": subject.method, "data": subject.data_hash, "folds": subject.judged_on,
        "settings": json.dumps(settings, sort_keys=True),
    }  # fmt: skip


@contextmanager
def _run_of(study: Study, subject: Subject, search: Search, out: Path) -> Iterator[StepRun]:
    """Open the study's run in MLflow, or that of an earlier try again, and close it."""
    rows = subject.table.rows
    about = {name: str(rows[name].iloc[0]) for name in ("product", "cycle") if rows[name].nunique() == 1}
    tags = {"method": subject.method, "data_hash": subject.data_hash, **about}
    artifacts = (out.absolute() / "mlartifacts").as_uri() if tracking_uri().startswith("sqlite:") else None
    run = open_study_run(f"tune {subject.method}", study.run_id, tags, artifacts)
    try:
        if run.run_id != study.run_id:
            study.keep_run(run.run_id)
            asked = {"judged_on": subject.judged_on, "seed": subject.seed, "grid": search.grid}
            run.params({"method": subject.method, **asked, **search.base.model_dump()})
        yield run
    except BaseException as error:
        close_pipeline_run("FAILED" if isinstance(error, Exception) else "KILLED", str(error))
        raise
    close_pipeline_run("FINISHED")


def _search(study: Study, subject: Subject, search: Search, run: StepRun, store: Store) -> None:
    """Run trials until enough have ended."""
    wanted = len(study.plan.combinations) if search.grid else search.trials
    while (ended := len(study.trials())) < wanted:
        trial, values = study.ask()
        state, reached = _try(study, trial, values, subject, search.base, run, store)
        score = "" if reached is None else f", {subject.objective} {reached:.4f}"
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        how = "failed" if state == TrialState.FAIL else state.name.lower()
        print(f"tune: {ended + 1} of {wanted}: trial {trial.number} {how}{score}: {told}", flush=True)


def _try(
    study: Study, trial: Trial, values: dict[str, Value], subject: Subject, base: Settings, run: StepRun, store: Store
) -> tuple[TrialState, float | None]:  # fmt: skip
    """Run one trial and return how it ended, with its score; its checkpoints are kept only where it was killed."""
    key = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
    checkpoints, metrics = store.below(f"trial-{key}"), dict[str, float]()
    started, failure = time.perf_counter(), ""
    try:
        with run.child(f"trial {trial.number}") as child:
            child.params(values)
            try:
                watch = _watch(study, trial, child)
                study.refuse_deadly(trial)
                metrics = subject.judge(with_values(base, values), checkpoints, watch)
                state = TrialState.COMPLETE
            except optuna.TrialPruned:
                state = TrialState.PRUNED
            except BaseException:
                child.tags({STATE: "failed"})
                raise
            child.metrics(metrics)
            child.tags({STATE: state.name.lower()})
    except ModelError as error:
        state, failure = TrialState.FAIL, str(error)
    except (GlasslineError, KeyboardInterrupt):  # of the machine, the data or whoever looks on
        study.let_go(trial)
        raise
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        state, failure = TrialState.FAIL, f"out of memory: {' '.join(str(error).split())[:160]}"
    seconds = time.perf_counter() - started
    about = {"metrics": metrics, "settings": values, "seconds": seconds, **({ERROR: failure} if failure else {})}
    study.tell(trial, metrics.get(subject.objective), state, about)
    checkpoints.forget()
    return state, metrics.get(subject.objective)


def _is_of_memory(error: Exception) -> bool:
    """Tell whether memory ran out, of the machine or of the GPU: to torch that is a RuntimeError like any other."""
    return isinstance(error, MemoryError) or bool(_OF_MEMORY.search(str(error)))


def _watch(study: Study, trial: Trial, child: StepRun) -> Watch:
    """Return what logs every epoch of a trial and tells when to give it up."""
    for step, score in study.earlier(trial).items():
        child.metrics({"score": score}, step)
        study.report(trial, step, score)

    def watch(step: int, score: float, metrics: dict[str, float]) -> None:
        child.metrics({**metrics, "score": score}, step)
        study.report(trial, step, score)

    return watch

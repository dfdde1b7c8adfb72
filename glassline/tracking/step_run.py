"""The run of a step, or of a fold of it."""

import itertools
import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import glassline
from glassline.data.names import plain_name
from glassline.errors import kind_of
from glassline.processes import is_first
from glassline.tracking.code_version import commit
from glassline.tracking.experiments import EXPERIMENT, experiment_id
from glassline.tracking.reading import PARENT_TAG, STEP_TAG, children
from glassline.tracking.server import answers, client, in_kubeflow, pipeline_run_id, without_secret

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Lines that a step prints for whoever watches the pipeline.
STARTED, FINISHED, FAILED, NOTE = (
    "glassline> started",
    "glassline> finished",
    "glassline> failed",
    "glassline> note",
)

_BATCH = 500


@dataclass
class StepRun:
    """An open run of a step or of a fold of it."""

    run_id: str
    name: str

    def progress(self, done: int, total: int, what: str) -> None:
        """Print how far the step is, about ten lines in all."""
        if done % max(total // 10, 1) == 0:
            print(f"{self.name}: {done} of {total} {what}", flush=True)

    def params(self, values: Mapping[str, Any]) -> None:
        """Log parameters; nested mappings become dotted names."""
        flat = list(_flatten(values))
        from mlflow.entities import Param

        with answers():
            for start in range(0, len(flat), 100):
                part = [Param(name, str(value)[:6000]) for name, value in flat[start : start + 100]]
                client().log_batch(self.run_id, params=part)

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics of one step or epoch."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        found = [Metric(plain_name(name), float(value), now, step) for name, value in values.items()]
        with answers():
            for start in range(0, len(found), _BATCH):
                client().log_batch(self.run_id, metrics=found[start : start + _BATCH])

    def epoch(self, number: int, values: Mapping[str, float], epochs: int) -> None:
        """Log the metrics of an epoch, `train_loss` among them, and print how far the fit is."""
        self.metrics(values, step=number)
        self.progress(number + 1, epochs, f"epochs, loss {values['train_loss']:.4f}")

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        with answers():
            for name, value in values.items():
                client().set_tag(self.run_id, name, value)

    def figure(self, figure: "Figure", name: str) -> None:
        """Log a matplotlib figure as `figures/NAME.png`."""
        with answers():
            client().log_figure(self.run_id, figure, f"figures/{plain_name(name)}.png")

    def table(self, rows: "pd.DataFrame", name: str) -> None:
        """Log a table as `tables/NAME.json`, which MLflow shows as a table."""
        with answers():
            client().log_table(self.run_id, rows, f"tables/{plain_name(name)}.json")

    def artifact(self, path: str | Path, folder: str = "") -> None:
        """Log a file or folder."""
        with answers():
            if Path(path).is_dir():
                client().log_artifacts(self.run_id, str(path), folder or None)
            else:
                client().log_artifact(self.run_id, str(path), folder or None)

    def text(self, text: str, name: str) -> None:
        """Log a text file."""
        with answers():
            client().log_text(self.run_id, text, name)

    def note(self, message: str) -> None:
        """Tell whoever watches, and keep the line as a tag for reviewers."""
        print(f"{NOTE} {self.name}: {message}", flush=True)
        with answers():
            before = client().get_run(self.run_id).data.tags.get("glassline.notes", "")
            client().set_tag(self.run_id, "glassline.notes", f"{before}\n{message}".strip()[-4000:])

    @contextmanager
    def child(self, name: str) -> Iterator["StepRun"]:
        """Open a run below this one, such as a fold; closed as failed on an exception."""
        with _closed(_create(name, parent=self.run_id, step="")) as run:
            yield run


class SilentRun(StepRun):
    """The run of a process that only takes part in a fit: what it is told is dropped."""

    def _drop(self, *_: Any, **__: Any) -> None:
        """Drop it."""

    progress = params = metrics = epoch = tags = figure = table = artifact = text = note = _drop

    @contextmanager
    def child(self, name: str) -> Iterator[StepRun]:
        """Yield this one."""
        yield self


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, (str, int, float)) else json.dumps(value)


def _create(name: str, parent: str | None, step: str, started_s: float | None = None) -> StepRun:
    tags = {STEP_TAG: step, "glassline.commit": commit()}
    if parent:
        tags[PARENT_TAG] = parent
    if image := os.environ.get("GLASSLINE_IMAGE"):  # set in the images alone
        tags["glassline.image"] = image
    with answers():
        experiment = os.environ.get("MLFLOW_EXPERIMENT_ID")
        if experiment is None:
            experiment = experiment_id(EXPERIMENT)
        started_ms = int((started_s or time.time()) * 1000)
        run = client().create_run(experiment, start_time=started_ms, run_name=name, tags=tags)
    return StepRun(run.info.run_id, name)


@contextmanager
def _closed(run: StepRun) -> Iterator[StepRun]:
    """Close a run as finished, failed or killed."""
    try:
        yield run
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        try:
            run.tags({"glassline.error": without_secret(f"{type(error).__name__}: {error}")[:4000]})
            client().set_terminated(run.run_id, status)
        except Exception as second:
            warnings.warn(f"run {run.run_id} stays open: {second}", RuntimeWarning, stacklevel=2)
        raise
    with answers():
        client().set_terminated(run.run_id, "FINISHED")


_calls = itertools.count()


def _body_start() -> float:
    """Return when the body of this step began, in seconds since the epoch.

    A step in a process of its own (Kubeflow's executor) began with the import of the library: loading torch
    is part of its body.
    """
    alone = in_kubeflow() and next(_calls) == 0
    return glassline.IMPORTED_AT_S if alone else time.time()


@contextmanager
def step_run(step: str, params: Mapping[str, Any], part: str = "") -> Iterator[StepRun]:
    """Open the child run of a step, log its parameters and its time, and close it.

    A child that a killed try of the same step left open is closed as killed first. Of the processes that torchrun
    started the first alone has a run.

    Args:
        step: Step name, such as `train_ensemble`.
        params: Parameters to log.
        part: Which part of a fanned-out step this is, such as `folds 0-4`; "" when it is the whole.
    """
    name = f"{step} ({part})" if part else step
    if not is_first():
        yield SilentRun("", name)
        return
    parent = pipeline_run_id()
    started_s = _body_start()
    print(f"{STARTED} {name}", flush=True)
    try:
        if parent:
            for left in children(parent):
                if left["name"] == name and left["status"] == "RUNNING":
                    client().set_terminated(left["run_id"], "KILLED")
        with _closed(_create(name, parent, step, started_s)) as run:
            run.params(params)
            yield run
            seconds = time.time() - started_s
            run.metrics({"body_seconds": seconds})
    except Exception as error:
        print(f"{FAILED} {name}: {kind_of(error)}: {' '.join(str(error).split())}", flush=True)
        raise
    print(f"{FINISHED} {name} {seconds:.1f} s", flush=True)

"""MLflow, and the only module that knows it: one run per pipeline run, one child per step, folds below.

A step finds its parent in the environment that Kubeflow Pipelines' MLflow plugin sets too:
MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_ID, MLFLOW_RUN_ID. Without them a step is a run of its own in the
experiment `glassline` of a local SQLite file.

Children are made with `MlflowClient.create_run` and the tag `mlflow.parentRunId`: with MLFLOW_RUN_ID set,
`mlflow.start_run` would silently reopen the parent.
"""

import itertools
import json
import logging
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import glassline
from glassline.data.names import plain_name
from glassline.errors import GlasslineError, TrackingError

# A server that does not answer is told within seconds, not after MLflow's seven retries.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

#: Lines that a step prints for whoever watches the pipeline.
STARTED, FINISHED, FAILED, NOTE = (
    "glassline> started",
    "glassline> finished",
    "glassline> failed",
    "glassline> note",
)

#: Where the run of `export_model` keeps its bundle among its artifacts.
BUNDLE = "bundle/bundle.zip"

_EXPERIMENT = "glassline"
_PARENT_TAG, _STEP_TAG = "mlflow.parentRunId", "glassline.step"
_BATCH = 500


@cache
def _client(uri: str) -> "MlflowClient":
    from mlflow import MlflowClient

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # "Creating initial tables"

    return MlflowClient(tracking_uri=uri)


def _in_kubeflow() -> bool:
    """Tell whether this process is a step that Kubeflow's executor runs, alone in its process."""
    return Path(sys.argv[0]).stem == "executor_main"


def tracking_uri() -> str:
    """Return the tracking server's address: MLFLOW_TRACKING_URI, else a SQLite file in this folder.

    Raises:
        TrackingError: A step in Kubeflow has no MLFLOW_TRACKING_URI: its SQLite file would die with its container.
    """
    stated = os.environ.get("MLFLOW_TRACKING_URI")
    if not stated and _in_kubeflow():
        raise TrackingError(
            "MLFLOW_TRACKING_URI must be set for a step in Kubeflow, got nothing; enable the MLflow plugin of Kubeflow "
            "Pipelines or set it in the step's environment"
        )
    return stated or "sqlite:///mlflow.db"


def client() -> "MlflowClient":
    """Return the client of the tracking server that the environment names."""
    return _client(tracking_uri())


@contextmanager
def answers() -> Iterator[None]:
    """Turn what MLflow and its transport raise into one error with a remedy."""
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, requests.RequestException, SQLAlchemyError) as error:
        first = without_secret(str(error).partition("\n")[0])[:300]
        if getattr(error, "error_code", "") == "INVALID_PARAMETER_VALUE":
            raise TrackingError(f"MLflow must accept what it is given, got: {first}; rename what it refuses") from error
        raise TrackingError(
            f"the MLflow server at {without_secret(tracking_uri())} must answer, got: {first}; check "
            "MLFLOW_TRACKING_URI and that the server runs"
        ) from error


def without_secret(text: str) -> str:
    """Return an address, or a message that holds one, with user and password left out."""
    return re.sub(r"://[^/\s@]+@", "://***@", text)


def create_pipeline_run(experiment: str, name: str, tags: Mapping[str, str], artifacts: str | None) -> str:
    """Create database and experiment where missing, open the parent run, and put it into the environment.

    Called before any step starts: ten processes racing on a cold SQLite file lose most of their runs.

    Args:
        experiment: Experiment name; created where it is missing.
        name: Run name.
        tags: Tags of the run; no secrets.
        artifacts: Artifact URI of a new experiment, None for the server's own.

    Returns:
        The run id.
    """
    with answers():
        found = client().get_experiment_by_name(experiment)
        identity = found.experiment_id if found else client().create_experiment(experiment, artifact_location=artifacts)
        run = client().create_run(identity, run_name=name, tags={**tags, "glassline.commit": commit()})
    os.environ["MLFLOW_EXPERIMENT_ID"] = identity
    os.environ["MLFLOW_RUN_ID"] = run.info.run_id
    return str(run.info.run_id)


def reopen_pipeline_run(run_id: str) -> bool:
    """Continue a parent run that was killed or failed; return False when the server no longer has it."""
    from mlflow.exceptions import MlflowException

    try:
        run = client().get_run(run_id)
    except MlflowException:
        return False
    with answers():
        client().update_run(run_id, status="RUNNING")
    os.environ["MLFLOW_EXPERIMENT_ID"] = run.info.experiment_id
    os.environ["MLFLOW_RUN_ID"] = run_id
    return True


def close_pipeline_run(status: str, reason: str = "") -> None:
    """Close the parent run of the environment and whatever child is still open.

    Args:
        status: FINISHED, FAILED or KILLED.
        reason: What went wrong, as tag `glassline.error`.
    """
    run_id = pipeline_run_id()
    if not run_id:
        return
    with answers():
        if reason:
            client().set_tag(run_id, "glassline.error", reason[:4000])
        for child in children(run_id):
            if child["status"] == "RUNNING":
                client().set_terminated(child["run_id"], "KILLED" if status == "FINISHED" else status)
        client().set_terminated(run_id, status)


def children(run_id: str) -> list[dict[str, Any]]:
    """List the direct children of a run, oldest first, with status, metrics, notes, start and end."""
    with answers():
        experiment = client().get_run(run_id).info.experiment_id
        found = client().search_runs(
            [experiment],
            f"tags.`{_PARENT_TAG}` = '{run_id}'",
            max_results=5000,
            order_by=["attributes.start_time ASC"],
        )
    return [
        {
            "run_id": run.info.run_id,
            "name": run.info.run_name,
            "step": run.data.tags.get(_STEP_TAG, ""),
            "status": run.info.status,
            "metrics": run.data.metrics,
            "notes": run.data.tags.get("glassline.notes", ""),
            "start_seconds": run.info.start_time / 1000,
            "end_seconds": (run.info.end_time or run.info.start_time) / 1000,
        }
        for run in found
    ]


@cache
def commit() -> str:
    """Return the code version: GLASSLINE_COMMIT of an image, else the checkout's git commit, else `unknown`."""
    stated = os.environ.get("GLASSLINE_COMMIT")
    if stated:
        return stated
    here = Path(__file__).resolve().parents[2]
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()


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


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, (str, int, float)) else json.dumps(value)


def _create(name: str, parent: str | None, step: str, started_s: float | None = None) -> StepRun:
    tags = {_STEP_TAG: step, "glassline.commit": commit()}
    if parent:
        tags[_PARENT_TAG] = parent
    with answers():
        experiment = os.environ.get("MLFLOW_EXPERIMENT_ID")
        if experiment is None:
            found = client().get_experiment_by_name(_EXPERIMENT)
            experiment = found.experiment_id if found else client().create_experiment(_EXPERIMENT)
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
    alone = _in_kubeflow() and next(_calls) == 0
    return glassline.IMPORTED_AT_S if alone else time.time()


@contextmanager
def step_run(step: str, params: Mapping[str, Any], part: str = "") -> Iterator[StepRun]:
    """Open the child run of a step, log its parameters and its time, and close it.

    A child that a killed try of the same step left open is closed as killed first.

    Args:
        step: Step name, such as `train_ensemble`.
        params: Parameters to log.
        part: Which part of a fanned-out step this is, such as `folds 0-4`; "" when it is the whole.
    """
    name = f"{step} ({part})" if part else step
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
    except GlasslineError as error:
        print(f"{FAILED} {name}: {' '.join(str(error).split())}", flush=True)
        raise
    except Exception as error:
        print(f"{FAILED} {name}: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
        raise
    print(f"{FINISHED} {name} {seconds:.1f} s", flush=True)


def parent_tags(values: Mapping[str, str], metrics: Mapping[str, float] | None = None) -> None:
    """Set tags and metrics on the pipeline's own run, so that the list of runs can be filtered by them."""
    run_id = pipeline_run_id()
    if run_id:
        run = StepRun(run_id, "pipeline")
        run.tags(values)
        run.metrics(metrics or {})


def pipeline_run_id() -> str | None:
    """Return the id of the pipeline's own run, None outside of one."""
    return os.environ.get("MLFLOW_RUN_ID")


def pipeline_notes() -> list[str]:
    """Return what the steps of this pipeline run noted, one line each, named by step."""
    parent = pipeline_run_id()
    if parent is None:
        return []
    return [
        f"{child['name']}: {line}" for child in children(parent) for line in child["notes"].splitlines() if line.strip()
    ]


def parent_artifact(path: str | Path) -> None:
    """Log a file on the pipeline's own run, where a reviewer opens first."""
    run_id = pipeline_run_id()
    if run_id:
        StepRun(run_id, "pipeline").artifact(path)


def run_metrics(run_id: str) -> dict[str, float]:
    """Return the metrics of a run."""
    with answers():
        return dict(client().get_run(run_id).data.metrics)


def run_files(run_id: str) -> list[str]:
    """Return the names of the files at the top of a run's artifacts, sorted."""
    with answers():
        return sorted(found.path for found in client().list_artifacts(run_id) if not found.is_dir)


def fetch_artifact(run_id: str, name: str, folder: Path) -> Path:
    """Download an artifact of a run into a folder and return its path."""
    with answers():
        return Path(client().download_artifacts(run_id, name, str(folder)))

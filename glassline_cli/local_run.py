"""Run a pipeline on this machine: kfp's local runner, SQLite MLflow, one folder for everything."""

import fcntl
import hashlib
import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassline import tracking
from glassline.data.storage import code_hash, ready_folder, written_whole
from glassline.errors import GlasslineError, StorageError
from glassline_cli.watch import watched

_STATE = "run.json"
#: Steps of the branch that captures take, and of the one that defects with a place take.
_OF_THE_SEGMENTATION, _OF_THE_SEVERITY = 5, 6

# glibc gives large blocks back to the kernel at once and asks for them again at the next batch. Keeping them made
# training 1.5 times faster (1.39 against 0.91 ms a patch, one thread); read when a step's process starts.
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**32)}


@dataclass(frozen=True)
class LocalResult:
    """Where the results of a local run are, and what a person wants to see of them at once.

    Attributes:
        run_id: The pipeline's own run.
        tracking_uri: Where it is.
        wall_seconds: From start to end.
        outside_seconds: Part of it in which no step's run was open: the orchestration.
        steps: How many ran, or were taken from the cache of a killed try.
        models: Metrics of each cross-validated model; none where nothing is.
        metrics: Metrics of the pipeline's own run.
        files: Names of the files that the run keeps at its top, such as report.html.
    """

    run_id: str
    tracking_uri: str
    wall_seconds: float
    outside_seconds: float
    steps: int
    models: dict[str, dict[str, float]]
    metrics: dict[str, float]
    files: list[str]


def run_locally(
    name: str, pipeline: Any, arguments: Mapping[str, Any], out: Path, experiment: str, tags: Mapping[str, str]
) -> LocalResult:
    """Run a pipeline to its end; a killed or failed try in the same folder is continued.

    Steps that finished are taken from the cache of that try only when code and arguments are the same.

    Args:
        name: Pipeline name.
        pipeline: The pipeline function.
        arguments: Its arguments.
        out: Folder for MLflow, artifacts, cache and log.
        experiment: MLflow experiment.
        tags: Tags of the run.

    Raises:
        GlasslineError: A step failed; carries that step's own message.
        StorageError: The folder may not be written, or another run is using it.
    """
    ready_folder(out)
    with _alone(out):
        return _run_alone(name, pipeline, arguments, out, experiment, tags)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder for one run: a second one would continue the first as if it had been killed."""
    try:
        lock = open(out / "run.lock", "w")  # noqa: SIM115 - closed below
    except OSError as error:
        raise StorageError(f"{out} must be a folder that may be written ({error}); choose another --out") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"--out must be used by one run at a time, another one is using {out}; wait or choose another"
            ) from None
        yield


def _run_alone(
    name: str, pipeline: Any, arguments: Mapping[str, Any], out: Path, experiment: str, tags: Mapping[str, str]
) -> LocalResult:
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{out.absolute() / 'mlflow.db'}")
    for variable, value in _KEEP_MEMORY.items():
        os.environ.setdefault(variable, value)
    key = _key(name, arguments)
    run_id = _open(out, key, name, arguments, experiment, tags)
    started = time.perf_counter()
    with watched(out / "pipeline.log", _steps(pipeline, arguments)) as watcher:
        try:
            _run(pipeline, arguments, out, key)
        except BaseException as error:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            tracking.close_pipeline_run(status, watcher.failure or str(error))
            if isinstance(error, RuntimeError) and watcher.failure:
                raise GlasslineError(f"{watcher.failure} (log: {out / 'pipeline.log'})") from None
            if isinstance(error, RuntimeError) and watcher.running:
                raise GlasslineError(
                    f"{', '.join(watcher.running)} must end by itself, its process was killed or crashed; free memory "
                    f"or disk, read {out / 'pipeline.log'}, and give the command again to continue"
                ) from None
            raise
    tracking.close_pipeline_run("FINISHED")
    (out / _STATE).unlink()
    wall_seconds = time.perf_counter() - started
    steps = tracking.children(run_id)
    evaluations = [step["run_id"] for step in steps if step["step"] == "evaluate_classifier"]
    models = {child["name"]: child["metrics"] for one in evaluations for child in tracking.children(one)}
    return LocalResult(
        run_id, os.environ["MLFLOW_TRACKING_URI"], wall_seconds, max(wall_seconds - _busy_seconds(steps), 0.0),
        len(steps), models, tracking.run_metrics(run_id), tracking.run_files(run_id),
    )  # fmt: skip


def _busy_seconds(steps: list[dict[str, Any]]) -> float:
    """Return the length of the union of the steps' times."""
    busy, end = 0.0, 0.0
    for step in sorted(steps, key=lambda one: one["start_seconds"]):
        busy += max(step["end_seconds"] - max(step["start_seconds"], end), 0.0)
        end = max(end, step["end_seconds"])
    return busy


def _key(name: str, arguments: Mapping[str, Any]) -> str:
    what = json.dumps([name, arguments, code_hash(".")], sort_keys=True)
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def _open(
    out: Path, key: str, name: str, arguments: Mapping[str, Any], experiment: str, tags: Mapping[str, str]
) -> str:
    """Continue the run that was left here by a killed try of the same key, else open a new one."""
    state = out / _STATE
    if state.is_file():
        left = json.loads(state.read_text())
        if left["key"] == key and tracking.reopen_pipeline_run(left["run_id"]):
            return str(left["run_id"])
    local = os.environ["MLFLOW_TRACKING_URI"].startswith("sqlite:")
    artifacts = (out.absolute() / "mlartifacts").as_uri() if local else None
    run_id = tracking.create_pipeline_run(experiment, name, {**tags, "pipeline": name}, artifacts)
    tracking.StepRun(run_id, name).params(arguments)
    with written_whole(state) as beside:
        beside.write_text(json.dumps({"key": key, "run_id": run_id}))
    return run_id


def _run(pipeline: Any, arguments: Mapping[str, Any], out: Path, key: str) -> None:
    from kfp import local

    warnings.filterwarnings("ignore", category=FutureWarning, module="kfp")
    warnings.filterwarnings("ignore", message=".*custom or non-Python base image.*")
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(out / "artifacts"),
        enable_caching=True,
        cache_root=str(out / "cache" / key),
    )
    pipeline(**arguments)


def _steps(pipeline: Any, arguments: Mapping[str, Any]) -> int:
    """Count the steps that will run, for the progress bar."""
    names = list(pipeline.pipeline_spec.deployment_spec["executors"])
    steps = len(names) - 1 + len(arguments.get("fold_parts", [0])) - 1
    if arguments.get("proposals") is False:
        steps -= 1
    if "segment" in arguments:  # the report is wired twice, once for each branch
        steps += len(arguments["zone_parts"]) - 2 if arguments["segment"] else -_OF_THE_SEGMENTATION - 1
    if "severity" in arguments:
        steps += len(arguments["image_parts"]) - 1 if arguments["severity"] else -_OF_THE_SEVERITY
    return steps

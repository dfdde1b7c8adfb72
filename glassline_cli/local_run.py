"""Run a pipeline on this machine: kfp's local runners, SQLite MLflow, one folder for everything."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassline import tracking
from glassline.data.alone import alone
from glassline.data.storage import code_hash, ready_folder, written_whole
from glassline.errors import EngineError, TrackingError, kind_of
from glassline_cli.local_steps import Runner, count_steps, run_steps
from glassline_cli.watch import Watcher, watched

_STATE = "run.json"

#: What is held while the steps of a run are running, by its run's id.
Hold = Callable[[str], AbstractContextManager[Any]]

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
    name: str, pipeline: Any, arguments: Mapping[str, Any], out: Path, experiment: str, tags: Mapping[str, str],
    runner: Runner = "subprocess", hold: Hold = nullcontext,
) -> LocalResult:  # fmt: skip
    """Run a pipeline to its end; a killed or failed try in the same folder is continued.

    Steps that finished are taken from the cache of that try only when code and arguments are the same.

    Args:
        name: Pipeline name.
        pipeline: The pipeline function.
        arguments: Its arguments.
        out: Folder for MLflow, artifacts, cache and log.
        experiment: MLflow experiment.
        tags: Tags of the run.
        runner: How steps run.
        hold: What is held from before the first step until after the last, such as a lock; called with the run's id.

    Raises:
        GlasslineError: A step failed; of the class of that step's own error, and carries its message.
        EngineError: No container engine answers, an image is missing or of other code, or a step's process was killed.
        StorageError: The folder may not be written, or another run is using it.
    """
    ready_folder(out)
    with alone(out), _engine(pipeline, out) if runner == "docker" else nullcontext():
        return _run_alone(name, pipeline, arguments, out, experiment, tags, runner, hold)


def use_tracking(out: Path) -> str:
    """Return the address of the tracking server, and leave it in the environment: a SQLite file in `out` unless told.

    Args:
        out: Folder of the run.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{out.absolute() / 'mlflow.db'}"  # an empty one is none
    os.environ["MLFLOW_TRACKING_URI"] = uri
    return uri


def left_run(out: Path) -> str:
    """Return the run that a killed or failed try left in a folder to be continued, "" without one."""
    state = out / _STATE
    return str(json.loads(state.read_text())["run_id"]) if state.is_file() else ""


@contextmanager
def _engine(pipeline: Any, out: Path) -> Iterator[None]:
    """See to the engine, and leave no container of this run behind: not of a killed try, nor of this one."""
    from glassline_cli.step_container import remove_left
    from glassline_cli.step_engine import check_engine

    check_engine(pipeline)
    remove_left(str(out.absolute()))
    try:
        yield
    finally:
        with suppress(EngineError):  # gone; the next run removes them
            remove_left(str(out.absolute()))


def _run_alone(
    name: str, pipeline: Any, arguments: Mapping[str, Any], out: Path, experiment: str, tags: Mapping[str, str],
    runner: Runner, hold: Hold,
) -> LocalResult:  # fmt: skip
    use_tracking(out)
    for variable, value in _KEEP_MEMORY.items():
        os.environ.setdefault(variable, value)
    key = _key(name, arguments)
    run_id = _open(out, key, name, arguments, experiment, tags)
    started = time.perf_counter()
    with watched(out / "pipeline.log", count_steps(pipeline, arguments)) as watcher:
        try:
            with hold(run_id):
                run_steps(pipeline, arguments, out, key, runner)
        except BaseException as error:
            failure = _failure(error, watcher, out)
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            with suppress(TrackingError):  # what came first is told
                tracking.close_pipeline_run(status, f"{kind_of(failure)}: {watcher.failure or failure}")
            if failure is error:
                raise
            raise failure from None
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


def _failure(error: BaseException, watcher: Watcher, out: Path) -> BaseException:
    """Return what ended a run: kfp's local runners raise the same whatever was wrong with a step."""
    if isinstance(error, RuntimeError) and watcher.failure:
        return watcher.kind(f"{watcher.failure} (log: {out / 'pipeline.log'})")
    if isinstance(error, RuntimeError) and watcher.running:
        return EngineError(
            f"{', '.join(watcher.running)} must end by itself, its process was killed or crashed; free memory or "
            f"disk, read {out / 'pipeline.log'}, and give the command again to continue"
        )
    return error


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

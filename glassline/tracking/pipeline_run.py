"""The run of a whole pipeline, to which every step adds what a reviewer looks for first."""

import os
from collections.abc import Mapping
from pathlib import Path

from glassline.tracking.code_version import commit
from glassline.tracking.description import VERDICT, describe_run, run_name
from glassline.tracking.experiments import experiment_id
from glassline.tracking.reading import children
from glassline.tracking.server import answers, client, pipeline_run_id
from glassline.tracking.step_run import StepRun

_ERROR = "glassline.error"

# Tags that whoever started the run stated.
_STATED = ("product", "cycle")

# Verdicts of a try that ended before anything was compared: the next one comes to its own.
_OF_AN_END = ("refused", "failed")


def create_pipeline_run(experiment: str, name: str, tags: Mapping[str, str], artifacts: str | None) -> str:
    """Create database and experiment where missing, open the parent run, and put it into the environment.

    Called before any step starts: ten processes racing on a cold SQLite file lose most of their runs.

    Args:
        experiment: Experiment name; created where it is missing.
        name: Name of the pipeline; the run is named after product and cycle too, where the tags tell them.
        tags: Tags of the run, such as `product`, `cycle` and `pipeline`; no secrets.
        artifacts: Artifact URI of a new experiment, None for the server's own.

    Returns:
        The run id.
    """
    identity = experiment_id(experiment, artifacts)
    with answers():
        kept = {**tags, "glassline.commit": commit()}
        run = client().create_run(identity, run_name=run_name(name, tags), tags=kept)
    os.environ["MLFLOW_EXPERIMENT_ID"] = identity
    os.environ["MLFLOW_RUN_ID"] = run.info.run_id
    return str(run.info.run_id)


def reopen_pipeline_run(run_id: str) -> bool:
    """Continue a parent run that was killed or failed; return False when the server no longer has it.

    Raises:
        TrackingError: The server does not answer: a second run of the same would be opened on it.
    """
    from mlflow.exceptions import MlflowException

    with answers():
        try:
            run = client().get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
        client().update_run(run_id, status="RUNNING")
        ended = [_ERROR, *([VERDICT] if run.data.tags.get(VERDICT) in _OF_AN_END else [])]
        for tag in ended:
            if tag in run.data.tags:
                client().delete_tag(run_id, tag)
    os.environ["MLFLOW_EXPERIMENT_ID"] = run.info.experiment_id
    os.environ["MLFLOW_RUN_ID"] = run_id
    return True


def close_pipeline_run(status: str, reason: str = "") -> None:
    """Close the parent run of the environment and whatever child is still open, and describe it for reviewers.

    Args:
        status: FINISHED, FAILED or KILLED.
        reason: What went wrong, as tag `glassline.error`.
    """
    run_id = pipeline_run_id()
    if not run_id:
        return
    with answers():
        if reason:
            client().set_tag(run_id, _ERROR, reason[:4000])
        for child in children(run_id):
            if child["status"] == "RUNNING":
                client().set_terminated(child["run_id"], "KILLED" if status == "FINISHED" else status)
        describe_run(run_id, status)
        client().set_terminated(run_id, status)


def parent_tags(values: Mapping[str, str], metrics: Mapping[str, float] | None = None) -> None:
    """Set tags and metrics on the pipeline's own run, so that the list of runs can be filtered by them.

    Product and cycle stay as the run was started with: images may name others.
    """
    run_id = pipeline_run_id()
    if run_id:
        run = StepRun(run_id, "pipeline")
        with answers():
            there = client().get_run(run_id).data.tags
        run.tags({name: value for name, value in values.items() if name not in _STATED or name not in there})
        run.metrics(metrics or {})


def pipeline_notes() -> list[str]:
    """Return what the steps of this pipeline run noted, one line each, named by step."""
    parent = pipeline_run_id()
    if parent is None:
        return []
    return [
        f"{child['name']}: {line}" for child in children(parent) for line in child["notes"].splitlines() if line.strip()
    ]


def parent_artifact(path: str | Path, folder: str = "") -> None:
    """Log a file or folder on the pipeline's own run, where a reviewer opens first, into a folder of its artifacts."""
    run_id = pipeline_run_id()
    if run_id:
        StepRun(run_id, "pipeline").artifact(path, folder)

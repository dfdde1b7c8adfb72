"""MLflow, and the only module that knows it: one run per pipeline run, one child per step, folds below.

A step finds its parent in the environment that Kubeflow Pipelines' MLflow plugin sets too:
MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_ID, MLFLOW_RUN_ID. Without them a step is a run of its own in the
experiment `glassline` of a local SQLite file.

Each module is one part: `server` (where MLflow is), `experiments`, `pipeline_run`, `step_run`, `description`,
`reading`, `registry`. Children are made with `MlflowClient.create_run` and the tag `mlflow.parentRunId`: with
MLFLOW_RUN_ID set, `mlflow.start_run` would silently reopen the parent.
"""

from glassline.tracking.code_version import commit
from glassline.tracking.experiments import EXPERIMENT, product_experiment
from glassline.tracking.pipeline_run import (
    close_pipeline_run,
    create_pipeline_run,
    parent_artifact,
    parent_tags,
    pipeline_notes,
    reopen_pipeline_run,
)
from glassline.tracking.reading import BUNDLE, children, fetch_artifact, run_files, run_metrics
from glassline.tracking.server import answers, client, pipeline_run_id, tracking_uri, without_secret
from glassline.tracking.step_run import FAILED, FINISHED, NOTE, STARTED, SilentRun, StepRun, step_run

__all__ = [
    "BUNDLE",
    "EXPERIMENT",
    "FAILED",
    "FINISHED",
    "NOTE",
    "STARTED",
    "SilentRun",
    "StepRun",
    "answers",
    "children",
    "client",
    "close_pipeline_run",
    "commit",
    "create_pipeline_run",
    "fetch_artifact",
    "parent_artifact",
    "parent_tags",
    "pipeline_notes",
    "pipeline_run_id",
    "product_experiment",
    "reopen_pipeline_run",
    "run_files",
    "run_metrics",
    "step_run",
    "tracking_uri",
    "without_secret",
]

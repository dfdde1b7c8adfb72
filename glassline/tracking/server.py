"""Where MLflow is, and what it says when it does not answer."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from glassline.errors import TrackingError
from glassline.tracking.patience import remember, wait_for

if TYPE_CHECKING:
    from mlflow import MlflowClient

os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


@cache
def _client(uri: str) -> "MlflowClient":
    from mlflow import MlflowClient

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # "Creating initial tables"

    return MlflowClient(tracking_uri=uri)


def in_kubeflow() -> bool:
    """Tell whether this process is a step that Kubeflow's executor runs, alone in its process."""
    return Path(sys.argv[0]).stem == "executor_main"


def tracking_uri() -> str:
    """Return the tracking server's address: MLFLOW_TRACKING_URI, else a SQLite file in this folder.

    Raises:
        TrackingError: A step in Kubeflow has no MLFLOW_TRACKING_URI: its SQLite file would die with its container.
    """
    stated = os.environ.get("MLFLOW_TRACKING_URI")
    if not stated and in_kubeflow():
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
    """Turn what MLflow, its transport and its store of artifacts raise into one error with a remedy."""
    import requests
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    address = tracking_uri()
    wait_for(address, known=pipeline_run_id() is not None)  # somebody made the pipeline's run on it
    try:
        yield
        remember(address, answered=True)
    except (Boto3Error, BotoCoreError, ClientError) as error:  # of artifacts that the server does not hand on
        first = without_secret(str(error).partition("\n")[0])[:300]
        raise TrackingError(
            f"the S3 store of MLflow's artifacts must answer, got: {first}; check AWS_ENDPOINT_URL or "
            "MLFLOW_S3_ENDPOINT_URL, the keys of AWS_ACCESS_KEY_ID, and that it runs"
        ) from error
    except (MlflowException, requests.RequestException, SQLAlchemyError) as error:
        first = without_secret(str(error).partition("\n")[0])[:300]
        if getattr(error, "error_code", "") == "INVALID_PARAMETER_VALUE":
            raise TrackingError(f"MLflow must accept what it is given, got: {first}; rename what it refuses") from error
        remember(address, answered=False)
        raise TrackingError(
            f"the MLflow server at {without_secret(tracking_uri())} must answer, got: {first}; check "
            "MLFLOW_TRACKING_URI and that the server runs"
        ) from error


def without_secret(text: str) -> str:
    """Return an address, or a message that holds one, with user and password left out."""
    return re.sub(r"://[^/\s@]+@", "://***@", text)


def pipeline_run_id() -> str | None:
    """Return the id of the pipeline's own run, None outside of one."""
    return os.environ.get("MLFLOW_RUN_ID")

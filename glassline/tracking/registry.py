"""The model registry: log a graph, register it, and move the aliases `challenger` and `champion`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassline.errors import TrackingError
from glassline.tracking import BUNDLE, answers, client, tracking_uri


def log_onnx_model(run_id: str, onnx_bytes: bytes, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    """Log an ONNX graph with its signature below a run and return the model's URI.

    Args:
        run_id: Run that made the model.
        onnx_bytes: The serialised graph.
        inputs: Example arrays by input name.
        outputs: Example arrays by output name.
    """
    import mlflow
    import onnx
    import onnxruntime
    from mlflow.models import infer_signature

    with answers():
        mlflow.set_tracking_uri(tracking_uri())
        with mlflow.start_run(run_id=run_id):
            logged = mlflow.onnx.log_model(
                onnx.load_from_string(onnx_bytes),
                name="model",
                signature=infer_signature(dict(inputs), dict(outputs)),
                pip_requirements=[f"onnxruntime=={onnxruntime.__version__}"],
            )
    return str(logged.model_uri)


def register_model(name: str, run_id: str, tags: Mapping[str, str]) -> str:
    """Register the model that a run logged as a new version, alias `challenger`, and return the version."""
    from mlflow.exceptions import MlflowException

    with answers():
        try:
            client().create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        model_uri = client().get_run(run_id).data.tags["glassline.model_uri"]
        # A server refuses the source of a logged model unless its id stands beside it; SQLite does not mind.
        model_id = model_uri.rpartition("/")[2]
        version = client().create_model_version(name, model_uri, run_id, tags=dict(tags), model_id=model_id)
        client().set_registered_model_alias(name, "challenger", version.version)
    return str(version.version)


def make_champion(name: str, version: str) -> None:
    """Move the alias `champion` to a version."""
    with answers():
        client().set_registered_model_alias(name, "champion", version)


def champion_bundle(name: str, folder: Path) -> tuple[str, Path] | None:
    """Download the bundle of the champion and return (version, path), None where there is no champion."""
    from mlflow.exceptions import MlflowException

    try:
        version = client().get_model_version_by_alias(name, "champion")
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise TrackingError(f"the registry must answer for {name}, got: {error}; check the server") from error
    with answers():
        path = client().download_artifacts(str(version.run_id), BUNDLE, str(folder))
    return str(version.version), Path(path)

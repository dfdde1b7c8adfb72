"""The model registry: log a graph, register it, and move the aliases `challenger` and `champion`."""

from collections.abc import Mapping
from typing import Any

from glassline.tracking import answers, client, pipeline_run_id, tracking_uri
from glassline.tracking.champion import CHALLENGER, CHAMPION, PREVIOUS, Champion, as_champion


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
    """Register the model that a run logged, alias `challenger`, and return the version; once, however often it is told.

    Args:
        name: Registered model; made where it is missing.
        run_id: Run that logged the model.
        tags: Tags of a new version, `table_hash` among them: of the table that it learned from. `data_hash`, of the
            data that this was made of, is that of the pipeline's run.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    with answers():
        mlflow.set_tracking_uri(tracking_uri())  # by which a registry without a server looks for the logged model
        try:
            client().create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        version = _registered(name, run_id)
        if version is None:
            model_uri = client().get_run(run_id).data.tags["glassline.model_uri"]
            # A server refuses the source of a logged model unless its id stands beside it; SQLite does not mind.
            model_id = model_uri.rpartition("/")[2]
            told = {**_source(), **tags}
            made = client().create_model_version(name, model_uri, run_id, tags=told, model_id=model_id)
            version = str(made.version)
        client().set_registered_model_alias(name, CHALLENGER, version)
    return version


def _source() -> dict[str, str]:
    """Return the hash of the data that the pipeline's run started from, as a tag; none outside of one."""
    pipeline = pipeline_run_id()
    found = client().get_run(pipeline).data.tags.get("data_hash", "") if pipeline else ""
    return {"data_hash": found} if found else {}


def _registered(name: str, run_id: str) -> str | None:
    """Return the version that a run was registered as, None where it was not."""
    found = client().search_model_versions(f"run_id = '{run_id}'")  # a name may hold a quote, a run id does not
    return next((str(one.version) for one in found if one.name == name), None)


def make_champion(name: str, version: str, previous: str) -> None:
    """Move the alias `champion` to a version, which is one act: there is a champion before, during and after.

    Args:
        name: Registered model.
        version: Its new champion.
        previous: The champion so far, "" for none; the new one is tagged with it first, so that it can go back.
    """
    tag_version(name, version, {PREVIOUS: previous})
    move_champion(name, version)


def move_champion(name: str, version: str) -> None:
    """Move the alias `champion` to a version and leave its tags alone: the way back."""
    with answers():
        client().set_registered_model_alias(name, CHAMPION, version)


def tag_version(name: str, version: str, tags: Mapping[str, str]) -> None:
    """Tag a version of a registered model."""
    with answers():
        for key, value in tags.items():
            client().set_model_version_tag(name, version, key, value)


def find_version(name: str, version: str) -> Champion | None:
    """Return a version of a registered model, None where it is gone."""
    from mlflow.exceptions import MlflowException

    with answers():
        try:
            return as_champion(client().get_model_version(name, version))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None


def registered_names(prefix: str) -> list[str]:
    """Return the names of registered models that start with a prefix, sorted; at most a hundred."""
    with answers():
        found = client().search_registered_models(f"name LIKE '{prefix}%'", max_results=100)
    return sorted(one.name for one in found)

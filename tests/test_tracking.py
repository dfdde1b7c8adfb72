"""What reaches MLflow, and what must not."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from glassline.errors import TrackingError
from glassline.tracking import client, create_pipeline_run, step_run, without_secret


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.setenv(name, "")  # so that what the run sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    create_pipeline_run("glassline", "retrain", {}, (tmp_path / "artifacts").as_uri())
    return client()


def test_step_run_logs_metrics_of_classes_with_any_name(store: MlflowClient) -> None:
    with step_run("import_images", {}) as run:
        run.metrics({"images_<b>&'": 3, "images_dent/mold": 4})
    assert store.get_run(run.run_id).data.metrics.items() >= {"images__b___": 3, "images_dent_mold": 4}.items()


def test_an_experiment_without_a_name_is_refused_as_such(store: MlflowClient) -> None:
    with pytest.raises(TrackingError, match="must accept what it is given"):
        create_pipeline_run("", "retrain", {}, None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://ann:pw@host:5000/x", "http://***@host:5000/x"),
        ("API request to https://t0ken@host/api failed", "API request to https://***@host/api failed"),
        ("sqlite:////a/b@c/mlflow.db", "sqlite:////a/b@c/mlflow.db"),
    ],
)
def test_without_secret_leaves_out_user_and_password(text: str, told: str) -> None:
    assert without_secret(text) == told


def test_step_in_kubeflow_refuses_to_log_into_its_own_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("sys.argv", ["/venv/lib/kfp/dsl/executor_main.py"])
    with pytest.raises(TrackingError, match="MLFLOW_TRACKING_URI must be set"):
        client()

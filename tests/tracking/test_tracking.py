"""What reaches MLflow, and what must not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from mlflow import MlflowClient

from glassline.errors import TrackingError
from glassline.tracking import (
    SilentRun,
    StepRun,
    answers,
    client,
    create_pipeline_run,
    reopen_pipeline_run,
    run_files,
    step_run,
    without_secret,
)
from tests.tracked import without_run


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    without_run(monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    create_pipeline_run("glassline", "retrain", {}, (tmp_path / "artifacts").as_uri())
    return client()


def test_step_run_logs_metrics_of_classes_with_any_name(store: MlflowClient) -> None:
    with step_run("import_images", {}) as run:
        run.metrics({"images_<b>&'": 3, "images_dent/mold": 4})
    assert store.get_run(run.run_id).data.metrics.items() >= {"images__b___": 3, "images_dent_mold": 4}.items()


def test_a_store_of_artifacts_that_does_not_answer_is_an_error_with_a_remedy(
    store: MlflowClient, s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {"AWS_MAX_ATTEMPTS": "1", "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    run_id = store.create_run(store.create_experiment("in S3", artifact_location=f"{s3}/mlflow")).info.run_id
    (tmp_path / "a.txt").touch()
    for call in (lambda: run_files(run_id), lambda: StepRun(run_id, "a").artifact(tmp_path / "a.txt")):
        with pytest.raises(TrackingError, match="the S3 store of MLflow's artifacts must answer, got: "):
            call()


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


class _Flaky(BaseHTTPRequestHandler):
    """Answers with what is left of `statuses`, then as a server that has no experiment."""

    statuses: ClassVar[list[int]] = []
    body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}'
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(self.statuses.pop(0) if self.statuses else 404)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Flaky]]:
    """A server whose address no other test has seen; retries follow at once."""
    handler = type("Handler", (_Flaky,), {"statuses": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_RETRIES_OF_GLASSLINE"):
            monkeypatch.setenv(name, "2")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
        monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
        yield handler
        server.shutdown()


def _ask() -> None:
    with answers():
        client().get_experiment_by_name("any")


def test_a_server_that_never_answered_is_asked_three_times(flaky: type[_Flaky]) -> None:
    flaky.statuses[:] = [503] * 9
    with pytest.raises(TrackingError, match="must answer"):
        _ask()
    assert flaky.asked == 3


def test_a_server_that_answered_once_is_waited_for(flaky: type[_Flaky]) -> None:
    _ask()
    flaky.statuses[:] = [503] * 5
    _ask()
    assert flaky.statuses == []


def test_a_server_on_which_the_pipelines_run_was_made_is_waited_for(
    flaky: type[_Flaky], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "a" * 32)
    flaky.statuses[:] = [503] * 5
    _ask()
    assert flaky.statuses == []


def test_a_server_that_fell_silent_is_not_waited_for_again(flaky: type[_Flaky]) -> None:
    _ask()
    flaky.statuses[:] = [503] * 9
    for _ in range(2):
        with pytest.raises(TrackingError):
            _ask()
    assert flaky.asked == 1 + 6 + 3


def test_a_run_that_the_server_no_longer_has_is_not_reopened(store: MlflowClient) -> None:
    assert reopen_pipeline_run("a" * 32) is False


def test_a_run_is_reopened_where_it_was_left(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = os.environ.pop("MLFLOW_RUN_ID")
    store.set_terminated(run_id, "FAILED")
    assert reopen_pipeline_run(run_id)
    assert (os.environ["MLFLOW_RUN_ID"], store.get_run(run_id).info.status) == (run_id, "RUNNING")


@pytest.mark.parametrize("status", [503, 500, 403])
def test_a_server_that_does_not_answer_is_no_server_without_the_run(flaky: type[_Flaky], status: int) -> None:
    flaky.body, flaky.statuses[:] = b"", [status] * 9
    with pytest.raises(TrackingError, match="must answer"):
        reopen_pipeline_run("a" * 32)


_ASK_TWICE = """
import os
from glassline.tracking.patience import wait_for
for known in (True, False):
    wait_for(str(known), known)
    print(os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
"""


def _retries_of_a_child(environment: dict[str, str]) -> list[str]:
    """Return how often a process of its own asks a server that others have reached, and one that nobody has."""
    command = [sys.executable, "-c", _ASK_TWICE]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("retries", ["0", "2", "5"])
def test_retries_that_the_user_set_stay(retries: str) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    assert _retries_of_a_child({**others, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": retries}) == [retries] * 2


def test_retries_that_a_process_set_are_its_childs_to_change(flaky: type[_Flaky]) -> None:
    for _ in range(2):
        _ask()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "5"
    assert _retries_of_a_child(dict(os.environ)) == ["5", "2"]


def test_a_process_that_only_takes_part_in_a_fit_logs_nothing(store, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("RANK", "1")
    with step_run("train_unet", {"seed": 0}) as run:
        run.epoch(0, {"train_loss": 1.0}, 1)
        run.note("nothing")
        with run.child("fold") as child:
            child.metrics({"loss": 1})
    assert capsys.readouterr().out == ""
    assert len(store.search_runs([store.get_experiment_by_name("glassline").experiment_id])) == 1  # the pipeline's own


def test_nothing_of_a_silent_run_reaches_the_server() -> None:
    told = [name for name, value in vars(StepRun).items() if callable(value) and not name.startswith("_")]
    assert set(told) <= set(vars(SilentRun))

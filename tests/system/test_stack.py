"""Database, object store and tracking server in containers: what they keep, survive and tell nobody."""

import importlib.util
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from glassline import tracking

_spec = importlib.util.spec_from_file_location("glassline_test_stack", Path(__file__).with_name("stack.py"))
assert _spec
assert _spec.loader
_stack: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_stack)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A stack that runs, after a first start that was killed; no engine is an error in CI and a skip elsewhere."""
    if not _stack.engine_answers():
        message = f"no container engine answers `{_stack.ENGINE} info`; start one or name it with ENGINE"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    _stack.build_images()
    made = _stack.Stack(tmp_path_factory.mktemp("stack"))
    try:
        made.leave_a_killed_first_start()
        done = made.tell("start")
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        made.tell("stop", "--volumes")


@pytest.fixture
def run(stack: Any, monkeypatch: pytest.MonkeyPatch) -> tracking.StepRun:
    """A run on the stack by a client that has no key of the object store."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stack.client["MLFLOW_TRACKING_URI"])
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_RETRIES_OF_GLASSLINE"):
        monkeypatch.setenv(name, "2")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    return tracking.StepRun(tracking.create_pipeline_run("stack", "test", {}, None), "test")


def _objects(stack: Any, run_id: str) -> dict[str, int]:
    """Return the objects of a run in the bucket, name to bytes, asked by S3."""
    keys = {"aws_access_key_id": stack.client["AWS_ACCESS_KEY_ID"], "region_name": stack.client["AWS_REGION"]}
    secret, address = stack.client["AWS_SECRET_ACCESS_KEY"], stack.client["AWS_ENDPOINT_URL"]
    client = boto3.client("s3", endpoint_url=address, aws_secret_access_key=secret, **keys)
    found = client.list_objects_v2(Bucket="glassline", Prefix="mlflow/").get("Contents", [])
    return {Path(one["Key"]).name: one["Size"] for one in found if run_id in one["Key"]}


def test_run_lies_in_the_database_and_its_artifact_in_the_bucket(stack: Any, run: tracking.StepRun) -> None:
    run.metrics({"accuracy": 0.875})
    run.text("seen", "note.txt")
    assert stack.sql(f"SELECT key, value FROM metrics WHERE run_uuid = '{run.run_id}'") == "accuracy|0.875"
    assert _objects(stack, run.run_id) == {"note.txt": 4}


def test_second_start_changes_nothing(stack: Any) -> None:
    before, settings = stack.started(), stack.settings
    done = stack.tell("start")
    assert done.stdout.count(": runs\n") == 3
    assert (stack.started(), stack.settings) == (before, settings)


def test_metrics_are_all_there_when_the_database_restarts_meanwhile(stack: Any, run: tracking.StepRun) -> None:
    run.metrics({"loss": 0.0}, step=0)
    with stack.away("database", seconds=20):
        for step in range(1, 30):
            run.metrics({"loss": float(step)}, step=step)
    history = tracking.client().get_metric_history(run.run_id, "loss")
    assert [found.value for found in history] == [float(step) for step in range(30)]


def test_artifact_arrives_whole_when_the_object_store_restarts_meanwhile(
    stack: Any, run: tracking.StepRun, tmp_path: Path
) -> None:
    content = os.urandom(20 << 20)
    (tmp_path / "large.bin").write_bytes(content)
    with stack.away("object-store", seconds=20):
        run.artifact(tmp_path / "large.bin")
    assert _objects(stack, run.run_id) == {"large.bin": len(content)}
    assert tracking.fetch_artifact(run.run_id, "large.bin", tmp_path / "back").read_bytes() == content


def test_artifact_whose_client_dies_halfway_is_not_kept(stack: Any, run: tracking.StepRun) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run.run_id}/artifacts/half.bin"
    with socket.create_connection(("127.0.0.1", int(stack.settings["TRACKING_PORT"]))) as client:
        client.sendall(f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n".encode())
        client.sendall(bytes(500_000))
    run.text("whole", "whole.txt")  # by then the server has seen the end of the other
    assert _objects(stack, run.run_id) == {"whole.txt": 5}


def test_data_are_there_again_after_a_power_cut(stack: Any, run: tracking.StepRun) -> None:
    run.metrics({"accuracy": 0.25})
    run.text("kept", "kept.txt")
    _stack.engine("kill", *map(stack.container, _stack.SERVICES))
    assert stack.tell("start").returncode == 0
    assert tracking.run_metrics(run.run_id) == {"accuracy": 0.25}
    assert _objects(stack, run.run_id) == {"kept.txt": 4}


def test_data_are_there_again_after_stop_and_start(stack: Any, run: tracking.StepRun) -> None:
    run.metrics({"accuracy": 0.5})
    run.text("kept", "kept.txt")
    assert stack.tell("stop").returncode == 0
    assert stack.tell("start").returncode == 0
    assert tracking.run_metrics(run.run_id) == {"accuracy": 0.5}
    assert _objects(stack, run.run_id) == {"kept.txt": 4}


def test_credentials_are_told_nowhere(stack: Any, run: tracking.StepRun) -> None:
    told = [stack.tell("start").stdout, str(tracking.client().get_run(run.run_id).data.tags)]
    for service in _stack.SERVICES:
        image = f"glassline/{service}:{_stack.TAG}"
        told += [_stack.engine("logs", stack.container(service)), _stack.engine("image", "inspect", image)]
        told += [_stack.engine("history", "--no-trunc", image), _stack.engine("top", stack.container(service))]
    assert all(told)
    assert [secret for secret in stack.secrets if any(secret in text for text in told)] == []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_browser_on_this_machine_may_write(stack: Any, name: str) -> None:
    assert _write_from(stack, f"http://{name}:{stack.settings['TRACKING_PORT']}") == 200


def test_page_of_somebody_else_may_not_write(stack: Any) -> None:
    assert _write_from(stack, "http://elsewhere.example") == 403


def _write_from(stack: Any, origin: str) -> int:
    """Return the status of a request that changes something, sent as a browser on a page of `origin` sends it."""
    url = f"{stack.client['MLFLOW_TRACKING_URI']}/ajax-api/2.0/mlflow/experiments/set-experiment-tag"
    body = b'{"experiment_id": "0", "key": "seen", "value": "yes"}'
    headers = {"Origin": origin, "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code

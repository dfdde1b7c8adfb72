"""Real servers for the tests that need one: S3 and MLflow."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("glassline_test_ceph", Path(__file__).with_name("ceph.py"))
assert _spec
assert _spec.loader
_ceph: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_ceph)


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Ceph with its S3 gateway; absent programs are an error in CI and a skip elsewhere."""
    missing = _ceph.missing_programs()
    if missing:
        message = f"no {', '.join(missing)} on the path; install radosgw ceph-osd ceph-mon ceph-mgr ceph-common"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    cluster = _ceph.Ceph(tmp_path_factory.mktemp("ceph"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def bucket(ceph: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the environment name the server, and return `s3://BUCKET` of a bucket of its own."""
    from glassline.data.location.s3_client import transfers
    from glassline.data.location.s3_patience import patiently

    for name, value in ceph.environment.items():
        monkeypatch.setenv(name, value)
    name = f"b-{uuid.uuid4().hex[:12]}"
    # One that was killed and started again is slow to create buckets.
    patiently(f"s3://{name}", lambda: transfers().create_bucket(Bucket=name))
    return f"s3://{name}"


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=inherited, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{url}/health", process)
        yield url
    finally:
        os.killpg(process.pid, 15)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # a browser's connection holds it open
            os.killpg(process.pid, 9)
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the MLflow server did not answer within two minutes")

"""`glassline submit` against a stand-in of the Kubeflow Pipelines API: what arrives, and what an absent one gives."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from glassline.errors import TrackingError
from glassline_cli.app import app

ARGUMENTS = ["--data", "/data/cycle-7", "--store", "/data/store", "--set", "training.epochs=3"]


class _Api(BaseHTTPRequestHandler):
    runs: ClassVar[list[dict]] = []

    def _answer(self, body: object) -> None:
        payload = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def do_GET(self) -> None:
        experiments = {"experiments": [{"experiment_id": "e-1", "display_name": "glassline"}], "total_size": 1}
        self._answer(experiments if "experiments" in self.path else {"multi_user": False})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/runs"):
            self.runs.append(body)
            self._answer({"run_id": "r-1"})
        else:
            self._answer({"experiment_id": "e-1", "display_name": "glassline"})

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    _Api.runs = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_submit_creates_a_run_with_the_checked_arguments_and_prints_its_link(host: str) -> None:
    result = CliRunner().invoke(app, ["submit", "retrain", "--host", host, *ARGUMENTS])
    assert result.exit_code == 0, result.output
    (run,) = _Api.runs
    parameters = run["runtime_config"]["parameters"]
    assert parameters["data"] == "/data/cycle-7"
    assert parameters["training"]["epochs"] == 3
    assert f"{host}/#/runs/details/r-1" in result.output


def test_submit_sends_a_session_with_both_its_hashes(host: str) -> None:
    arguments = ["--data", "/rig/captures", "--store", "/data/store", "--data-hash", "abc+def"]
    overrides = ["--set", "capture.captures=s3://rig/line-3", "--set", "retrain.training.epochs=3"]
    result = CliRunner().invoke(app, ["submit", "end_to_end", "--host", host, *arguments, *overrides])
    assert result.exit_code == 0, result.output
    parameters = _Api.runs[0]["runtime_config"]["parameters"]
    assert (parameters["session"], parameters["captures"]) == ("/rig/captures", "s3://rig/line-3")
    assert (parameters["session_hash"], parameters["annotations_sha256"]) == ("abc", "def")
    assert parameters["annotations"] == "/rig/annotations.json"
    assert parameters["training"]["epochs"] == 3


@pytest.mark.parametrize(("told", "cached"), [([], False), (["--data-hash", "abc"], True)])
def test_submit_lets_nothing_be_cached_unless_the_hash_of_the_data_is_told(
    host: str, told: list[str], cached: bool
) -> None:
    result = CliRunner().invoke(app, ["submit", "retrain", "--host", host, *ARGUMENTS, *told])
    assert result.exit_code == 0, result.output
    options = json.dumps(_Api.runs[0]["pipeline_spec"])
    assert ('"enableCache": true' in options) is cached


def test_submit_names_the_host_when_nothing_answers() -> None:
    result = CliRunner().invoke(app, ["submit", "retrain", "--host", "http://127.0.0.1:9", *ARGUMENTS])
    assert isinstance(result.exception, TrackingError)
    assert "http://127.0.0.1:9" in str(result.exception)

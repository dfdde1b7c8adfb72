"""A stand-in of the Kubeflow Pipelines API: it reads requests and writes answers by the models of kfp-server-api."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import kfp_server_api
import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

API = kfp_server_api.ApiClient()


@dataclass
class Server:
    """What the stand-in is told to do, and what it was sent."""

    multi_user: bool = False
    token: str = ""
    #: Refusals by path: status and message.
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: Polls of a run that fail first, as while the server restarts, and what they get.
    restarts: int = 0
    restart_status: int = 503
    page: str = ""
    #: What a run is each time it is asked for; the last one stays.
    states: list[dict[str, Any]] = field(default_factory=lambda: [{"state": "SUCCEEDED"}])
    experiments: list[kfp_server_api.V2beta1Experiment] = field(default_factory=list)
    runs: list[kfp_server_api.V2beta1Run] = field(default_factory=list)
    recurring: list[kfp_server_api.V2beta1RecurringRun] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    host: str = ""

    def start(self) -> ThreadingHTTPServer:
        """Serve on a free port of this machine."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"told": self}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.host = f"http://127.0.0.1:{server.server_port}"
        return server


@pytest.fixture
def server() -> Iterator[Server]:
    """Start a stand-in that answers until the test ends."""
    told = Server()
    running = told.start()
    yield told
    running.shutdown()
    running.server_close()


def read(body: bytes, model: str) -> Any:
    """Return a body as a model; what the model does not know, or would say otherwise, is an error."""
    one = API.deserialize(SimpleNamespace(data=body), model)
    assert API.sanitize_for_serialization(one) == json.loads(body)
    return one


def check_spec(spec: dict[str, Any]) -> None:
    """Read a pipeline and its platform as the server's protocol buffers; an unknown field is an error."""
    json_format.ParseDict(spec["pipeline_spec"], pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(spec["platform_spec"], pipeline_spec_pb2.PlatformSpec())


class _Handler(BaseHTTPRequestHandler):
    told: Server

    def _answer(self, body: object, status: int = 200) -> None:
        page = self.told.page.encode()
        payload = page or json.dumps(API.sanitize_for_serialization(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if page else "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _refused(self) -> bool:
        path = self.path.partition("?")[0].removeprefix("/apis/v2beta1/")
        self.told.paths.append(self.path)
        if self.told.token and self.headers.get("Authorization") != f"Bearer {self.told.token}":
            self._answer({"error": "token is expired", "code": 16}, 401)
            return True
        for start, (status, message) in self.told.refusals.items():
            if path.startswith(start):
                self._answer({"error": message, "code": 7}, status)
                return True
        return False

    def do_GET(self) -> None:
        if self._refused():
            return
        if "healthz" in self.path:
            self._answer(kfp_server_api.V2beta1GetHealthzResponse(multi_user=self.told.multi_user))
        elif "experiments" in self.path:
            found = self.told.experiments
            self._answer(kfp_server_api.V2beta1ListExperimentsResponse(experiments=found, total_size=len(found)))
        elif self.told.restarts:
            self.told.restarts -= 1
            self._answer({"error": "restarting"}, self.told.restart_status)
        else:
            left = self.told.states
            self._answer(read(json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode(), "V2beta1Run"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._refused():
            return
        if self.path.endswith("/experiments"):
            self.told.experiments.append(read(body, "V2beta1Experiment"))
            self._answer(kfp_server_api.V2beta1Experiment(experiment_id="e-1", display_name="made"))
        elif self.path.endswith("/recurringruns"):
            self.told.recurring.append(read(body, "V2beta1RecurringRun"))
            check_spec(self.told.recurring[-1].pipeline_spec)
            self._answer(kfp_server_api.V2beta1RecurringRun(recurring_run_id="rr-1"))
        else:
            self.told.runs.append(read(body, "V2beta1Run"))
            check_spec(self.told.runs[-1].pipeline_spec)
            self._answer(kfp_server_api.V2beta1Run(run_id="r-1"))

    def log_message(self, *words: object) -> None:
        """Say nothing."""

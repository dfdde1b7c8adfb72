"""A Kubeflow Pipelines server: runs and recurring runs by its own API models, errors in one line within seconds.

kfp's own client asks a silent server five times before it gives up, and prints a traceback for each.
"""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from glassline.errors import GlasslineError, SettingsError, TrackingError
from glassline.tracking import without_secret
from glassline_cli.kubeflow_errors import GREETING, TOKEN, answers, first_line, is_refused

# Seconds to connect, and to answer: the first question is a short one, a pipeline is half a megabyte.
_FIRST_S, _LATER_S = (5, 10), (5, 60)
_POLL_S = 10.0
# Polls in a row that may fail before a run is no longer waited for: ten minutes of a server that restarts.
_PATIENCE = 60
_ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")
_EQUALS = 1  # of the API's filters


def token_reader(file: Path | None) -> Callable[[], str]:
    """Return what reads the token: from a file, which may be renewed meanwhile, else from GLASSLINE_KFP_TOKEN.

    Raises:
        SettingsError: The file cannot be read, or holds no token.
    """

    def read() -> str:
        try:
            token = (file.read_text() if file else os.environ.get(TOKEN, "")).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"--token-file must be a file that can be read, got {file} ({error}); mount it"
            ) from None
        if (file and not token) or not re.fullmatch(r"[!-~]*", token):
            raise SettingsError(f"{f'--token-file {file}' if file else TOKEN} must hold one token and nothing else")
        return token

    read()
    return read


class Kubeflow:
    """The API of a server; every call raises a TrackingError with what to set when it cannot be answered."""

    def __init__(self, host: str, token: Callable[[], str], namespace: str) -> None:
        import kfp_server_api
        import urllib3

        told = urlsplit(host)
        if told.scheme not in ("http", "https") or not told.hostname or "@" in told.netloc:
            raise SettingsError(
                f"--host must be the URL of Kubeflow Pipelines without a user, got {without_secret(host)}; write for "
                "example https://kubeflow.example/pipeline"
            )
        self.host, self.namespace, self._token = host.rstrip("/"), namespace, token
        configuration = kfp_server_api.Configuration(host=self.host)
        configuration.retries = urllib3.Retry(connect=0, read=0, redirect=3)
        configuration.ssl_ca_cert = os.environ.get("SSL_CERT_FILE") or None
        if token():
            configuration.api_key = {"authorization": token()}
            configuration.api_key_prefix = {"authorization": "Bearer"}
            configuration.refresh_api_key_hook = lambda one: one.api_key.update(authorization=token())
        self._models = kfp_server_api
        self._client = kfp_server_api.ApiClient(configuration)
        self._greet()

    def _greet(self) -> None:
        """Ask whether the server is one of Kubeflow Pipelines, and whether it has namespaces."""
        with self._answers(GREETING):
            healthz = self._models.HealthzServiceApi(self._client)
            health, _, headers = healthz.healthz_service_get_healthz_with_http_info(_request_timeout=_FIRST_S)
            if "json" not in headers.get("Content-Type", ""):
                raise ValueError("a page, not an answer of the API")
        if health.multi_user and not self.namespace:
            raise SettingsError(
                f"--namespace must be given, {self.host} keeps those of several users apart; name yours"
            )

    def experiment(self, name: str) -> str:
        """Return the id of an experiment of the namespace; it is created where it is missing."""
        api = self._models.ExperimentServiceApi(self._client)
        wanted = {"predicates": [{"operation": _EQUALS, "key": "display_name", "stringValue": name}]}
        within = {"namespace": self.namespace} if self.namespace else {}
        with self._answers(f"open the experiment {name}"):
            listed = api.experiment_service_list_experiments(
                filter=json.dumps(wanted), _request_timeout=_LATER_S, **within
            )
            found = (listed.experiments or [None])[0]
            if found is None:
                new = self._models.V2beta1Experiment(display_name=name, **within)
                found = api.experiment_service_create_experiment(new, _request_timeout=_LATER_S)
            return _known(found.experiment_id)

    def start(self, name: str, experiment: str, spec: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
        """Create a run and return its id."""
        run = self._models.V2beta1Run(
            display_name=name, experiment_id=experiment, pipeline_spec=spec, runtime_config=self._runtime(arguments)
        )
        with self._answers("create the run"):
            created = self._models.RunServiceApi(self._client).run_service_create_run(run, _request_timeout=_LATER_S)
            return _known(created.run_id)

    def repeat(
        self, name: str, experiment: str, spec: Mapping[str, Any], arguments: Mapping[str, Any],
        schedule: Mapping[str, Any],
    ) -> str:  # fmt: skip
        """Create a recurring run and return its id; `schedule` is what `Schedule.fields` returns."""
        recurring = self._models.V2beta1RecurringRun(
            display_name=name, experiment_id=experiment, pipeline_spec=spec, runtime_config=self._runtime(arguments),
            **schedule,
        )  # fmt: skip
        api = self._models.RecurringRunServiceApi(self._client)
        with self._answers("create the recurring run"):
            created = api.recurring_run_service_create_recurring_run(recurring, _request_timeout=_LATER_S)
            return _known(created.recurring_run_id)

    def run_link(self, run: str) -> str:
        """Return the page of a run."""
        return f"{self.host}/#/runs/details/{run}"

    def recurring_link(self, recurring: str) -> str:
        """Return the page of a recurring run."""
        return f"{self.host}/#/recurringrun/details/{recurring}"

    def wait(self, run: str, tell: Callable[[str], None]) -> None:
        """Wait for the end of a run, and tell each change of a step's state.

        Raises:
            GlasslineError: The run did not succeed; names the steps that failed.
        """
        seen: dict[str, str] = {}
        failures, state = 0, ""
        while state not in _ENDED:
            if seen or failures:
                time.sleep(_POLL_S)
            try:
                with self._answers("tell how the run is"):
                    now = self._models.RunServiceApi(self._client).run_service_get_run(run, _request_timeout=_LATER_S)
            except TrackingError as error:
                failures += 1
                if failures > _PATIENCE or is_refused(error):
                    raise
                continue
            failures, state = 0, now.state or ""
            steps = [task for task in (now.run_details and now.run_details.task_details) or [] if _is_step(task)]
            for name, of_step in [("run", state), *((task.display_name, task.state or "") for task in steps)]:
                if seen.get(name) != of_step:
                    seen[name] = of_step
                    tell(f"{time.strftime('%H:%M:%S')} {name} {of_step}")
        if state != "SUCCEEDED":
            raise GlasslineError(f"the run must end in SUCCEEDED, got {state}{_blame(now, steps)}; look at its page")

    def _answers(self, what: str) -> AbstractContextManager[None]:
        return answers(what, self.host, self.namespace, self._token)

    def _runtime(self, arguments: Mapping[str, Any]) -> Any:
        return self._models.V2beta1RuntimeConfig(parameters=dict(arguments))


def _known(identity: str | None) -> str:
    if not identity:
        raise ValueError("an answer without an id")
    return identity


def _is_step(task: Any) -> bool:
    """Tell steps from the graph's own nodes: its root, and the drivers that start steps."""
    name = task.display_name or ""
    return bool(name) and name != "root" and not name.endswith(("-driver", "driver"))


def _blame(run: Any, steps: list[Any]) -> str:
    failed = [step for step in steps if step.state == "FAILED"]
    told = [
        f"{one.display_name}{f': {one.error.message}' if one.error and one.error.message else ''}" for one in failed
    ]
    if not told and run.error and run.error.message:
        told = [run.error.message]
    return f" ({first_line('; '.join(told))})" if told else ""

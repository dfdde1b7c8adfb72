"""`glassline submit` against a stand-in of the Kubeflow Pipelines API: what arrives, and what an absent one gives."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from glassline.data.importers import source_hash
from glassline.errors import GlasslineError, SettingsError, StorageError, TrackingError
from glassline_cli import kubeflow
from glassline_cli.app import app
from pipelines.catalogue import COMPILED

ARGUMENTS = ["--data", "/data/cycle-7", "--store", "/data/store"]
ONE, OTHER = "ab" * 32, "cd" * 32
Submit = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (kubeflow.TOKEN, "MLFLOW_TRACKING_URI", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(kubeflow, "_POLL_S", 0.01)


@pytest.fixture
def submit(server: Any) -> Submit:
    """Submit root_cause, the smallest pipeline, with more words: submit("--wait")."""

    def call(*words: object, pipeline: str = "root_cause") -> Result:
        return CliRunner().invoke(app, ["submit", pipeline, "--host", server.host, *ARGUMENTS, *map(str, words)])

    return call


def refusal(result: Result, kind: type[GlasslineError] = TrackingError) -> str:
    """Return the one line that a user is told."""
    assert isinstance(result.exception, kind), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_submit_creates_a_run_with_the_checked_arguments_and_prints_its_link(server: Any, submit: Submit) -> None:
    result = submit("--set", "training.epochs=3", "--name", "cycle 7", pipeline="retrain")
    assert result.exit_code == 0, result.output
    (run,) = server.runs
    assert (run.display_name, run.experiment_id) == ("cycle 7", "e-1")
    assert run.runtime_config.parameters["data"] == "/data/cycle-7"
    assert run.runtime_config.parameters["training"]["epochs"] == 3
    assert result.output.splitlines() == [f"{server.host}/#/runs/details/r-1"]


def test_submit_sends_a_session_with_both_its_hashes(server: Any, submit: Submit) -> None:
    overrides = ["--set", "capture.captures=s3://rig/line-3", "--set", "retrain.training.epochs=3"]
    result = submit("--data", "/rig/captures", "--data-hash", f"{ONE}+{OTHER}", *overrides, pipeline="end_to_end")
    assert result.exit_code == 0, result.output
    parameters = server.runs[0].runtime_config.parameters
    assert (parameters["session"], parameters["captures"]) == ("/rig/captures", "s3://rig/line-3")
    assert (parameters["session_hash"], parameters["annotations_sha256"]) == (ONE, OTHER)
    assert parameters["annotations"] == "/rig/annotations.json"
    assert parameters["training"]["epochs"] == 3


@pytest.mark.parametrize(("told", "cached"), [([], False), (["--data-hash", ONE], True)])
def test_submit_lets_nothing_be_cached_unless_the_hash_of_the_data_is_told(
    server: Any, submit: Submit, told: list[str], cached: bool
) -> None:
    assert submit(*told, pipeline="retrain").exit_code == 0
    options = json.dumps(server.runs[0].pipeline_spec)
    assert ('"enableCache": true' in options) is cached


def test_submit_computes_the_hash_that_the_import_compares(server: Any, submit: Submit, tiles: Path) -> None:
    form = ["--set", "data_format=image-folder", "--set", "clean_class=plain"]
    result = submit("--data", tiles, "--data-hash", "auto", *form, pipeline="retrain")
    assert result.exit_code == 0, result.exception
    assert server.runs[0].runtime_config.parameters["data_hash"] == source_hash(tiles, "image-folder")
    assert '"enableCache": true' in json.dumps(server.runs[0].pipeline_spec)


def test_submit_tells_when_the_data_to_hash_cannot_be_read_here(server: Any, submit: Submit) -> None:
    assert "/data/cycle-7" in refusal(submit("--data-hash", "auto", pipeline="retrain"), StorageError)
    assert not server.paths


@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        ("retrain", "abc"),
        ("retrain", f"{ONE}+{OTHER}"),
        ("retrain", ONE.upper()),
        ("capture", ONE),
        ("end_to_end", ONE),
        ("end_to_end", f"{ONE}+"),
        ("root_cause", f"{ONE}+{OTHER}"),
    ],
)
def test_submit_refuses_a_hash_of_another_form(server: Any, submit: Submit, pipeline: str, told: str) -> None:
    assert "--data-hash must be SHA256" in refusal(submit("--data-hash", told, pipeline=pipeline), SettingsError)
    assert not server.paths


def test_submit_opens_the_experiment_of_the_namespace(server: Any, submit: Submit) -> None:
    server.multi_user = True
    assert submit("--namespace", "line-3", "--experiment", "cycles").exit_code == 0
    (made,) = server.experiments
    assert (made.display_name, made.namespace) == ("cycles", "line-3")
    assert any("namespace=line-3" in path for path in server.paths)


def test_submit_asks_for_a_namespace_where_users_are_apart(server: Any, submit: Submit) -> None:
    server.multi_user = True
    assert "--namespace must be given" in refusal(submit(), SettingsError)
    assert not server.runs


def test_submit_prints_where_results_are_without_the_password(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://anna:secret@mlflow.example")
    assert submit().output.splitlines()[1] == "MLflow: https://***@mlflow.example"


def test_submit_sends_a_release_as_it_was_compiled(server: Any, submit: Submit, tmp_path: Path) -> None:
    release = tmp_path / "root_cause.yaml"
    text = (COMPILED / "root_cause.yaml").read_text()
    release.write_text(text.replace("glassline/vision-python:0.1.0", "registry.example/vision-python@sha256:12"))
    assert submit("--package", release).exit_code == 0
    assert "registry.example/vision-python@sha256:12" in json.dumps(server.runs[0].pipeline_spec)


def test_submit_refuses_a_release_of_another_pipeline(submit: Submit) -> None:
    assert "differs in" in refusal(submit("--package", COMPILED / "retrain.yaml"), SettingsError)


@pytest.mark.parametrize("text", ["", "a: 1", "["])
def test_submit_refuses_a_package_that_is_none(submit: Submit, tmp_path: Path, text: str) -> None:
    (tmp_path / "other.yaml").write_text(text)
    assert "--package must be a compiled pipeline" in refusal(
        submit("--package", tmp_path / "other.yaml"), SettingsError
    )


def test_submit_repeats_by_cron(server: Any, submit: Submit, tmp_path: Path) -> None:
    text = "{cron: '0 0 6 * * 1-5', start: 2026-12-01T00:00:00Z, end: 2027-01-01T00:00:00+01:00, enabled: false}"
    (tmp_path / "cycle.yaml").write_text(text)
    result = submit("--every", tmp_path / "cycle.yaml")
    assert result.output.splitlines() == [f"{server.host}/#/recurringrun/details/rr-1"], result.exception
    (recurring,) = server.recurring
    cron = recurring.trigger.cron_schedule
    assert (cron.cron, cron.start_time.isoformat()) == ("0 0 6 * * 1-5", "2026-12-01T00:00:00+00:00")
    assert (recurring.mode, recurring.max_concurrency, recurring.no_catchup) == ("DISABLE", "1", True)
    assert not server.runs


def test_submit_repeats_by_interval(server: Any, submit: Submit, tmp_path: Path) -> None:
    (tmp_path / "cycle.yaml").write_text("{interval_s: 3600, max_concurrency: 2, catch_up: true}")
    assert submit("--every", tmp_path / "cycle.yaml").exit_code == 0
    (recurring,) = server.recurring
    assert recurring.trigger.periodic_schedule.interval_second == "3600"
    assert (recurring.mode, recurring.max_concurrency, recurring.no_catchup) == ("ENABLE", "2", False)
    assert recurring.runtime_config.parameters["images"] == "/data/cycle-7"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{cron: '0 6 * * 1'}", "six fields"),
        ("{cron: '0 0 24 * * *'}", "hour must lie in 0 to 23"),
        ("{cron: '0 0 six * * *'}", "hour must be"),
        ("{cron: '0 0 6 * * *', interval_s: 60}", "either cron or interval_s"),
        ("{}", "either cron or interval_s"),
        ("{interval_s: 5}", "interval_s must be >= 60"),
        ("{interval_s: 60, max_concurrency: 11}", "max_concurrency"),
        ("{interval_s: 60, start: 2026-12-01T00:00:00}", "start"),
        ("{interval_s: 60, start: 2026-12-02T00:00:00Z, end: 2026-12-01T00:00:00Z}", "before end"),
        ("{interval: 60}", "interval"),
    ],
)
def test_submit_refuses_a_schedule_that_breaks_a_rule(submit: Submit, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "cycle.yaml").write_text(text)
    assert told in refusal(submit("--every", tmp_path / "cycle.yaml"), SettingsError)


def test_submit_tells_each_change_while_it_waits(server: Any, submit: Submit) -> None:
    step = {"display_name": "find-root-cause", "state": "RUNNING"}
    server.states = [
        {"state": "PENDING"},
        {"state": "RUNNING", "run_details": {"task_details": [{"display_name": "root-driver"}, step]}},
        {"state": "SUCCEEDED", "run_details": {"task_details": [{**step, "state": "SUCCEEDED"}]}},
    ]
    result = submit("--wait")
    told = [line.split(" ", 1)[1] for line in result.output.splitlines()[1:]]
    changes = ["run PENDING", "run RUNNING", "find-root-cause RUNNING", "run SUCCEEDED", "find-root-cause SUCCEEDED"]
    assert (result.exit_code, told) == (0, changes)


def test_submit_fails_with_the_step_when_the_run_it_waits_for_fails(server: Any, submit: Submit) -> None:
    failed = {"display_name": "find-root-cause", "state": "FAILED", "error": {"message": "OOMKilled\nexit 137"}}
    server.states = [{"state": "FAILED", "run_details": {"task_details": [failed]}}]
    told = refusal(submit("--wait"), GlasslineError)
    assert "got FAILED (find-root-cause: OOMKilled)" in told


@pytest.mark.parametrize("status", [503, 408, 429])
def test_submit_goes_on_waiting_when_the_server_restarts_or_is_busy(server: Any, submit: Submit, status: int) -> None:
    server.restarts, server.restart_status = 2, status
    assert submit("--wait").exit_code == 0
    assert server.restarts == 0


def test_submit_no_longer_waits_for_a_server_that_stays_away(
    server: Any, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubeflow, "_PATIENCE", 3)
    server.restarts = 4
    assert "503 (restarting)" in refusal(submit("--wait"))


def test_submit_sends_the_token_and_never_prints_it(
    server: Any, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = "abc.def"
    monkeypatch.setenv(kubeflow.TOKEN, "abc.def\n")
    result = submit()
    assert result.exit_code == 0, result.exception
    assert "abc.def" not in result.output


def test_submit_reads_a_token_that_is_renewed_while_it_waits(
    server: Any, submit: Submit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token, file = "old", tmp_path / "token"
    file.write_text("old")
    server.states = [{"state": "RUNNING"}, {"state": "SUCCEEDED"}]

    def renew(seconds: float) -> None:
        server.token = "new"
        file.write_text("new")

    monkeypatch.setattr(kubeflow.time, "sleep", renew)
    assert submit("--wait", "--token-file", file).exit_code == 0


@pytest.mark.parametrize("token", ["", "two words", "zwölf"])
def test_submit_refuses_a_token_file_without_a_token(submit: Submit, tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token)
    told = refusal(submit("--token-file", tmp_path / "token"), SettingsError)
    assert "must hold one token" in told
    assert not token or token not in told


def test_submit_refuses_a_token_file_that_is_missing(submit: Submit, tmp_path: Path) -> None:
    assert "--token-file" in refusal(submit("--token-file", tmp_path / "none"), SettingsError)


def test_submit_names_the_token_when_it_is_refused(
    server: Any, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = "valid"
    monkeypatch.setenv(kubeflow.TOKEN, "expired-token")
    told = refusal(submit())
    assert "401 (token is expired)" in told
    assert kubeflow.TOKEN in told
    assert "expired-token" not in told


def test_submit_hides_a_token_that_is_longer_than_what_is_told(
    server: Any, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kubeflow.TOKEN, token := "abcdefgh." * 100)
    server.refusals["experiments"] = (403, f"token {token} is of another audience")
    told = refusal(submit())
    assert "token *** is of another audience" in told
    assert "abcdefgh" not in told


def test_submit_names_the_namespace_when_it_may_not_be_used(server: Any, submit: Submit) -> None:
    server.refusals["experiments"] = (403, "user anna is not authorized in namespace line-9")
    told = refusal(submit("--namespace", "line-9"))
    assert "for namespace line-9" in told
    assert "--namespace" in told


def test_submit_tells_what_the_server_says_of_a_run_it_refuses(server: Any, submit: Submit) -> None:
    server.refusals["runs"] = (400, "Invalid input error: namespace line-9 does not exist")
    assert "namespace line-9 does not exist" in refusal(submit())


def test_submit_names_the_host_when_it_is_no_kubeflow(server: Any, submit: Submit) -> None:
    server.page = "<html>log in</html>"
    told = refusal(submit())
    assert "--host must be a Kubeflow Pipelines API" in told
    assert server.host in told


def test_submit_names_the_host_when_it_has_no_such_path(server: Any, submit: Submit) -> None:
    server.refusals["healthz"] = (404, "not found")
    assert "--host must be a Kubeflow Pipelines API, got 404" in refusal(submit())


def test_submit_names_the_host_when_nothing_listens(submit: Submit) -> None:
    told = refusal(submit("--host", "http://127.0.0.1:9"))
    assert "got nothing of http://127.0.0.1:9 (Failed to establish a new connection: [Errno 111]" in told


def test_submit_names_the_host_when_it_never_answers(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeflow, "_FIRST_S", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "API that answers" in refusal(submit("--host", host))


@pytest.mark.parametrize("host", ["kfp.example", "ftp://kfp.example", "https://anna:secret@kfp.example"])
def test_submit_refuses_a_host_that_is_no_plain_url(submit: Submit, host: str) -> None:
    told = refusal(submit("--host", host), SettingsError)
    assert "--host must be the URL" in told
    assert "secret" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--nodes", "2"], "--host"),
        (["--every", "x.yaml", "--wait"], "--wait"),
        (["--every", "x.yaml", "--data-hash", "abc"], "--data-hash"),
        (["--out", "job.yaml"], "--out"),
    ],
)
def test_submit_refuses_options_that_do_not_go_together(submit: Submit, words: list[str], told: str) -> None:
    assert told in refusal(submit(*words), SettingsError)


@pytest.mark.parametrize("option", ["--preset", "--data-hash", "--experiment", "--namespace", "--token-file"])
def test_submit_refuses_what_a_step_on_nodes_does_not_take(option: str) -> None:
    result = CliRunner().invoke(app, ["submit", "train_unet", "--nodes", "2", option, "full"])
    assert refusal(result, SettingsError).startswith(f"{option} must not be given with --nodes")


def test_submit_lists_what_is_missing() -> None:
    result = CliRunner().invoke(app, ["submit", "retrain", "--store", "s3://glass/store"])
    assert "missing: --host, --data" in refusal(result, SettingsError)

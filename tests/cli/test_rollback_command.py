"""`glassline rollback`: what it prints, and one line where there is nothing to go back to."""

from pathlib import Path

import pytest

from glassline.tracking.registry import make_champion, register_model
from tests.registered import exported, write_level_bundle
from tests.tracked import without_run


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A registry with two champions of product P, the second one now; the environment of the command."""
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", environment["MLFLOW_TRACKING_URI"])
    without_run(monkeypatch)
    for previous in ("", "1"):
        run_id = exported(write_level_bundle(tmp_path / "bundle.zip"))
        version = register_model("glassline-P", run_id, {"cycle": "2026a", "model": "cnn"})
        make_champion("glassline-P", version, previous)
    return environment


def test_rollback_prints_what_stands_now_and_then_that_there_is_none(glassline, registry) -> None:
    done = glassline("rollback", "P", **registry)
    assert done.returncode == 0, done.stderr
    assert "champion of P: version 1, before that version 2" in done.stdout
    assert "cycle 2026a, model cnn" in done.stdout
    again = glassline("rollback", "P", **registry)
    assert again.returncode == 1
    assert again.stderr.startswith("error: version 1 of glassline-P must have taken over from another")
    assert "Traceback" not in again.stderr


def test_rollback_of_an_unreachable_registry_is_one_line(glassline) -> None:
    done = glassline("rollback", "P", MLFLOW_TRACKING_URI="http://127.0.0.1:9", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the MLflow server at http://127.0.0.1:9 must answer")
    assert "Traceback" not in done.stderr

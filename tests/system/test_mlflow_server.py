"""The main job against a live MLflow server, and what a reviewer then sees of it in a browser."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Glassline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(mlflow_server: str, glassline: Glassline, tiles: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from mlflow import MlflowClient

    done = glassline(
        "run", "retrain", "--data", tiles, "--out", tmp_path_factory.mktemp("server-run"), "--set",
        "data_format=image-folder", "--set", "clean_class=plain", "--set", "folds=3", "--set", "training.epochs=1",
        MLFLOW_TRACKING_URI=mlflow_server,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    client = MlflowClient(mlflow_server)
    experiment = client.get_experiment_by_name("glassline-glass")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.pipeline = 'retrain'")
    (found,) = runs
    return found


def test_server_keeps_the_report_of_a_finished_run(run: Any, mlflow_server: str) -> None:
    from mlflow import MlflowClient

    assert run.info.status == "FINISHED"
    assert "report.html" in [entry.path for entry in MlflowClient(mlflow_server).list_artifacts(run.info.run_id)]


def test_server_shows_a_reviewer_the_run_and_its_report(run: Any, mlflow_server: str, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    where = f"{mlflow_server}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    page.goto(where)
    page.get_by_text("write_report").first.wait_for(timeout=60_000)
    page.goto(f"{where}/artifacts/report.html")
    report = page.frame_locator("iframe").first
    report.get_by_text("Confusion matrix of ensemble_fusion").first.wait_for(timeout=60_000)
    broken = report.locator("img").evaluate_all("all => all.filter(one => one.complete && !one.naturalWidth).length")
    assert broken == 0
    page.close()

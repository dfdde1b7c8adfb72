"""The main job against a live MLflow server, and what a reviewer then sees of it in a browser."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Glassline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
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


@pytest.fixture(scope="module")
def run(server: str, glassline: Glassline, tiles: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from mlflow import MlflowClient

    done = glassline(
        "run", "retrain", "--data", tiles, "--out", tmp_path_factory.mktemp("server-run"), "--set",
        "data_format=image-folder", "--set", "clean_class=plain", "--set", "folds=3", "--set", "training.epochs=1",
        MLFLOW_TRACKING_URI=server,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("glassline")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], "tags.pipeline = 'retrain'")
    (found,) = runs
    return found


def test_server_keeps_the_report_of_a_finished_run(run: Any, server: str) -> None:
    from mlflow import MlflowClient

    assert run.info.status == "FINISHED"
    assert "report.html" in [entry.path for entry in MlflowClient(server).list_artifacts(run.info.run_id)]


def test_server_shows_a_reviewer_the_run_and_its_report(run: Any, server: str, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    where = f"{server}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    page.goto(where)
    page.get_by_text("write_report").first.wait_for(timeout=60_000)
    page.goto(f"{where}/artifacts/report.html")
    report = page.frame_locator("iframe").first
    report.get_by_text("Confusion matrix of ensemble_fusion").first.wait_for(timeout=60_000)
    broken = report.locator("img").evaluate_all("all => all.filter(one => one.complete && !one.naturalWidth).length")
    assert broken == 0
    page.close()

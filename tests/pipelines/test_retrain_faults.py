"""What a run of the main job does when something is wrong: one error, exit 1, a run marked failed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.pipelines.one_error import check_one_error

Glassline = Callable[..., subprocess.CompletedProcess[str]]
RETRAIN = "glass 1 retrain"
SMALL = (
    "--set", "data_format=image-folder", "--set", "clean_class=plain", "--set", "folds=3", "--set", "training.epochs=1",
)  # fmt: skip


def _runs(out: Path) -> list[tuple[str, str, str]]:
    client = MlflowClient(f"sqlite:///{out / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("glassline-glass")
    assert experiment is not None
    return [
        (run.info.run_name, run.info.status, run.data.tags.get("glassline.error", ""))
        for run in client.search_runs([experiment.experiment_id])
    ]


def test_run_fails_with_one_error_when_an_image_is_truncated(glassline: Glassline, tiles: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    subprocess.run(["cp", "-r", str(tiles), str(data)], check=True)
    whole = (data / "dark" / "3.png").read_bytes()
    (data / "dark" / "3.png").write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "run"
    done = glassline("run", "retrain", "--data", data, "--out", out, *SMALL)
    check_one_error(done, "3.png", "extract_candidates")
    runs = _runs(out)
    assert {status for name, status, _ in runs if name in {RETRAIN, "extract_candidates"}} == {"FAILED"}
    assert any("3.png" in error for name, _, error in runs if name == RETRAIN)
    assert not list((out / "store").rglob("*.npy"))


def test_run_refuses_an_unknown_setting_before_anything_is_written(glassline: Glassline, tmp_path: Path) -> None:
    done = glassline("run", "retrain", "--out", tmp_path / "run", "--set", "training.epoch=3")
    check_one_error(done, "training.epoch", "epochs")
    assert not (tmp_path / "run").exists()


def test_run_refuses_a_setting_out_of_range(glassline: Glassline, tmp_path: Path) -> None:
    check_one_error(glassline("run", "retrain", "--out", tmp_path / "run", "--set", "training.epochs=0"), "epochs", "0")


def test_run_refuses_a_class_with_one_group(glassline: Glassline, tiles: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    subprocess.run(["cp", "-r", str(tiles), str(data)], check=True)
    for number in range(1, 6):
        (data / "bright" / f"{number}.png").unlink()
    done = glassline("run", "retrain", "--data", data, "--out", tmp_path / "run", *SMALL)
    check_one_error(done, "split_samples", "bright")


def test_run_names_the_server_when_mlflow_does_not_answer(glassline: Glassline, tiles: Path, tmp_path: Path) -> None:
    with socket.socket() as closed:  # a port that nobody listens on
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = glassline("run", "retrain", "--data", tiles, "--out", tmp_path / "run", *SMALL, MLFLOW_TRACKING_URI=uri)
    check_one_error(done, uri, "MLFLOW_TRACKING_URI")


def test_run_refuses_a_missing_data_folder(glassline: Glassline, tmp_path: Path) -> None:
    check_one_error(
        glassline("run", "retrain", "--data", tmp_path / "no", "--out", tmp_path / "run", *SMALL), "no", "--data"
    )


@pytest.mark.skipif(os.geteuid() != 0 and "CI" not in os.environ, reason="mounting a small disk needs root")
def test_step_fails_with_one_error_when_the_disk_is_full(glassline: Glassline, tiles: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    tracking = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    assert glassline("import", tiles, "--format", "image-folder", "--out", tmp_path / "in").returncode == 0
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)], check=True)
    try:
        done = glassline(
            "step", "extract_candidates", "--set", f"samples_path={tmp_path}/in/samples.parquet", "--set", "extract={}",
            "--set", f"store={disk}/store", "--set", f"patches_path={tmp_path}/patches.parquet", **tracking,
        )  # fmt: skip
        check_one_error(done, str(disk), "space")
        assert not [path for path in disk.rglob("*") if path.is_file()]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_run_continues_after_a_kill_and_reuses_finished_steps(
    glassline: Glassline, tiles: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = ["run", "retrain", "--data", str(tiles), "--out", str(out), *SMALL]
    log = out / "pipeline.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    killed = subprocess.Popen(
        [sys.executable, "-m", "glassline_cli", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env=inherited,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while not (log.is_file() and "finished split_samples" in log.read_text()):
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    done = glassline(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = _runs(out)
    assert [status for name, status, _ in runs if name == RETRAIN] == ["FINISHED"]
    assert [status for name, status, _ in runs if name == "extract_candidates"] == ["FINISHED"]  # not run again
    assert "RUNNING" not in {status for _, status, _ in runs}

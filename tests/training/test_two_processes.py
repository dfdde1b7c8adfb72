"""Two processes learn what one does, and a step that torchrun starts is one step."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.data.importers import read_source
from glassline.tracking.server import _client

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "two_processes.py"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
UNET = {
    "unet": {"width": 1 / 32}, "patch_px": 64, "epochs": 2, "patches": 8, "batch_size": 4, "learning_rate": 1e-3,
    "threads": 1,
}  # fmt: skip
Unet = Callable[..., subprocess.Popen[str]]


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    return {**kept, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """Return how far two processes are from one, by family, from the command that docs/scale.md quotes."""
    folder = tmp_path_factory.mktemp("two-processes")
    words = [sys.executable, BENCHMARK, "--out", folder / "out"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=850, env=_environment(folder), check=False)
    assert done.returncode == 0, done.stderr
    return {row["model"]: row for row in json.loads((folder / "out" / "differences.json").read_text())}


@pytest.mark.parametrize("model", ["cnn", "triplet", "siamese", "unet"])
def test_two_processes_learn_what_one_does(differences, model: str) -> None:
    assert differences[model]["train_loss"] < 1e-5
    assert differences[model]["weights"] < 1e-5


@pytest.mark.parametrize("model", ["severity", "defect_types", "transfer"])
def test_two_processes_normalise_batches_as_one_does(differences, model: str) -> None:
    assert differences[model]["train_loss"] < 1e-3
    assert differences[model]["val_loss"] < 1e-3


@pytest.fixture
def unet(write_labelled: Callable[..., Path], tmp_path: Path) -> Unet:
    """Start `train_unet` under torchrun: unet(epochs=3) runs beside this process, in a group of its own."""
    folder = write_labelled(tmp_path / "labelled", glasses=12)
    read_source(folder, "captures").write(tmp_path / "samples.parquet")

    def start(**changes: object) -> subprocess.Popen[str]:
        told = {
            "samples_path": tmp_path / "samples.parquet", "segmentation": json.dumps({**UNET, **changes}), "seed": 0,
            "store": tmp_path / "store", "model_path": tmp_path / "model",
        }  # fmt: skip
        words = [word for key, value in told.items() for word in ("--set", f"{key}={value}")]
        with open(tmp_path / "errors", "w") as errors:  # a pipe that nobody reads would stop them once it is full
            return subprocess.Popen(
                [*TORCHRUN, "-m", "glassline_cli", "step", "train_unet", *words], text=True, cwd=tmp_path,
                stdout=subprocess.PIPE, stderr=errors, env=_environment(tmp_path),
            )  # fmt: skip

    return start


def _runs(folder: Path) -> list[str]:
    client = _client(f"sqlite:///{folder}/mlflow.db")
    found = client.search_experiments()
    runs = client.search_runs([one.experiment_id for one in found], order_by=["attributes.start_time ASC"])
    return [run.info.status for run in runs]


def test_a_step_under_torchrun_is_one_run_and_one_model(unet: Unet, tmp_path: Path) -> None:
    process = unet()
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, (tmp_path / "errors").read_text()
    assert printed.count("glassline> started") == printed.count("glassline> finished") == printed.count('"output"') == 1
    assert _runs(tmp_path) == ["FINISHED"]
    assert json.loads((tmp_path / "model" / "model.json").read_text())["settings"]["devices"] == 2


def _children(pid: int) -> dict[str, int]:
    """Return the pid of each of torchrun's processes by its rank."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        told = Path(f"/proc/{child}/environ").read_bytes().decode()
        if rank := re.search(r"\0RANK=(\d)", told):
            found[rank[1]] = int(child)
    return found


def _kill(process: subprocess.Popen[str], rank: str, at: str) -> None:
    """Kill a process once the first one prints something, and wait for the end of all."""
    assert process.stdout
    while at not in process.stdout.readline():
        assert process.poll() is None
    children = _children(process.pid)
    os.kill(children[rank], signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())


def test_the_kill_of_a_process_ends_the_other_and_the_same_command_resumes(unet: Unet, tmp_path: Path) -> None:
    for rank, at in (("1", " 12 of 60 epochs"), ("0", " 24 of 60 epochs")):
        _kill(unet(epochs=60), rank, at)
        told = (tmp_path / "errors").read_text()
        assert told.count("error: all processes of a fit must reach its end") <= 1
    assert not (tmp_path / "model").exists()
    printed, _ = unet(epochs=60).communicate(timeout=300)
    assert " 60 of 60 epochs" in printed, (tmp_path / "errors").read_text()
    assert " 18 of 60 epochs" not in printed
    assert (tmp_path / "model" / "model.json").is_file()


def test_an_error_that_both_processes_meet_is_told_once(unet: Unet, tmp_path: Path) -> None:
    process = unet(devices=4)
    process.communicate(timeout=120)
    errors = (tmp_path / "errors").read_text()
    assert process.returncode != 0
    assert errors.count("error: devices must be what torchrun started, 2, got 4; leave devices out") == 1
    assert errors.count("Traceback") == 1  # torchrun's own report

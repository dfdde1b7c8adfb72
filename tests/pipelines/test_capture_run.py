"""One run of the pipeline `capture`, and what it does when something is wrong."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from glassline.data.importers import read_source
from tests.pipelines.one_error import check_one_error

Glassline = Callable[..., subprocess.CompletedProcess[str]]
STEPS = {"ingest_captures", "verify_captures", "propose_labels", "merge_labels", "import_labels"}


def _runs(out: Path) -> list[Run]:
    client = MlflowClient(f"sqlite:///{out / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("glassline")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


@pytest.fixture
def session(rig_session: Path, tmp_path: Path) -> Path:
    """Copy the session, so that a test may damage it."""
    return Path(shutil.copytree(rig_session.parent, tmp_path / "rig")) / "captures"


@pytest.fixture(scope="module")
def finished(glassline: Glassline, rig_session: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder and the screen of one run."""
    out = tmp_path_factory.mktemp("capture") / "run"
    done = glassline("run", "capture", "--data", rig_session, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


def test_capture_opens_one_child_run_per_step_and_closes_them(finished: tuple[Path, str]) -> None:
    runs = _runs(finished[0])
    assert {run.data.tags["glassline.step"] for run in runs if "glassline.step" in run.data.tags} == STEPS
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_capture_moves_the_session_and_labels_what_lies_there(finished: tuple[Path, str], rig_session: Path) -> None:
    table = read_source(finished[0] / "labels.json", "captures")
    assert table.root == str(finished[0] / "store" / "captures")
    assert table.rows["label"].value_counts().to_dict() == {"scratch": 8, "dent": 8, "control": 8}
    assert table.rows["group"].nunique() == len(list(rig_session.glob("*.zarr")))


def test_capture_prints_the_metrics_and_where_the_labels_are(finished: tuple[Path, str]) -> None:
    out, screen = finished
    assert f"labels: {out / 'labels.json'}" in screen
    assert "images_scratch" in screen


def test_capture_writes_proposals_that_labelling_software_reads(finished: tuple[Path, str]) -> None:
    (folder,) = finished[0].glob("artifacts/*/propose-labels/proposals")
    pictures = {item["file_name"] for item in json.loads((folder / "annotations.json").read_text())["images"]}
    assert pictures == {path.name for path in (folder / "images").iterdir()}


def test_run_fails_with_one_error_when_a_manifest_was_edited(
    glassline: Glassline, session: Path, tmp_path: Path
) -> None:
    manifest = session / "G0003.zarr" / "clean-00" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("0", "1", 5))
    out = tmp_path / "run"
    done = glassline("run", "capture", "--data", session, "--out", out)
    check_one_error(done, "G0003.zarr/clean-00", "manifest")


def test_run_fails_with_one_error_when_a_chunk_has_changed(glassline: Glassline, session: Path, tmp_path: Path) -> None:
    chunk = next(path for path in sorted((session / "G0003.zarr" / "clean-00" / "c").rglob("*")) if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    done = glassline("run", "capture", "--data", session, "--out", tmp_path / "run")
    check_one_error(done, "ingest_captures", "G0003.zarr/clean-00")
    statuses = {run.info.run_name: run.info.status for run in _runs(tmp_path / "run")}
    assert statuses == {"capture": "FAILED", "ingest_captures": "FAILED"}


def test_run_names_the_annotations_that_are_missing_before_it_starts(
    glassline: Glassline, session: Path, tmp_path: Path
) -> None:
    done = glassline(
        "run", "capture", "--data", session, "--out", tmp_path / "run", "--set", "annotations=../boxes.json"
    )
    check_one_error(done, "boxes.json")
    assert not (tmp_path / "run" / "store").exists()

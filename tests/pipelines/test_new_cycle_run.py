"""Cycles of a product, looked at as CI and reviewers would: the first, the same again, and one of other images."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from glassline import tracking
from glassline.deploy.bundle import load_bundle
from glassline.deploy.runtime import OnnxClassifier
from hardware_ingest.line_scan.dataset import simulate_line_scan

STEPS = (
    "import_images", "apply_reviews", "extract_candidates", "split_samples", "check_cycle", "augment_samples",
    "choose_sources", "train_candidate", "export_model", "compare_champion", "promote_model", "queue_review",
    "write_cycle_report",
)  # fmt: skip

Glassline = Callable[..., subprocess.CompletedProcess[str]]
Cycle = Callable[[str, Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of everything: images of two cycles, runs, and the database of the tracking server."""
    folder = tmp_path_factory.mktemp("cycles")
    for seed in (1, 2):
        simulate_line_scan(120, seed, folder / f"images-{seed}")
    return folder


@pytest.fixture(scope="module")
def cycle(glassline: Glassline, root: Path) -> Cycle:
    """Run a cycle of product P7 on the images of a folder: cycle("a", images)."""

    def call(name: str, images: Path) -> subprocess.CompletedProcess[str]:
        small = ("check.most_candidates=1", "training.epochs=25", "check.least_per_class=3")
        return glassline(
            "cycle", "P7", name, "--captures", images, "--format", "coco", "--preset", "smoke", "--out", root / name,
            "--summary", root / f"{name}.md", *(word for one in small for word in ("--set", one)),
            MLFLOW_TRACKING_URI=f"sqlite:///{root / 'mlflow.db'}",
        )  # fmt: skip

    return call


@pytest.fixture(scope="module")
def first(cycle: Cycle, root: Path) -> subprocess.CompletedProcess[str]:
    """The first cycle of the product."""
    return cycle("a", root / "images-1")


@pytest.fixture
def client(root: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root / 'mlflow.db'}")
    return tracking.client()


def _runs(client: MlflowClient) -> list[Run]:
    experiment = client.get_experiment_by_name("glassline-P7")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def _pipelines(client: MlflowClient) -> list[Run]:
    return [run for run in _runs(client) if "mlflow.parentRunId" not in run.data.tags]


def test_first_model_of_a_product_becomes_champion(
    first: subprocess.CompletedProcess[str], client: MlflowClient, root: Path, tmp_path: Path
) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    champion = client.get_model_version_by_alias("glassline-P7", "champion")
    path = client.download_artifacts(champion.run_id, "bundle/bundle.zip", str(tmp_path))
    bundle = load_bundle(path)
    patch_NHW = np.zeros((2, 112, 112), np.uint8)
    metadata_NM = np.zeros((2, len(bundle.manifest.attributes)), np.float32)
    assert OnnxClassifier(bundle).predict(patch_NHW, metadata_NM).shape == (2, len(bundle.manifest.classes))


def test_every_step_runs_and_ends(first: subprocess.CompletedProcess[str], client: MlflowClient) -> None:
    runs = _runs(client)
    assert {step for run in runs if (step := run.data.tags.get("glassline.step"))} >= set(STEPS)
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_run_can_be_found_by_what_reviewers_filter_by(
    first: subprocess.CompletedProcess[str], client: MlflowClient
) -> None:
    (run,) = _pipelines(client)
    tags = run.data.tags
    assert (tags["product"], tags["cycle"], tags["verdict"], tags["pipeline"]) == ("P7", "a", "promoted", "new_cycle")
    assert len(tags["data_hash"]) == 64
    assert tags["method"].endswith("-scratch")
    assert {"accuracy", "macro_f1"} <= set(run.data.metrics)


def test_page_and_summary_stand_on_the_run(
    first: subprocess.CompletedProcess[str], client: MlflowClient, root: Path, tmp_path: Path
) -> None:
    (run,) = _pipelines(client)
    page = Path(client.download_artifacts(run.info.run_id, "report.html", str(tmp_path))).read_text()
    assert "P7, cycle a" in page
    assert all(f"<h2>{title}" in page for title in ("The gate", "Candidates and champion", "To review"))
    summary = (root / "a.md").read_text()
    assert summary.startswith("### P7, cycle a: ")
    assert run.info.run_id in summary
    assert summary.strip() in first.stdout


def test_same_data_again_does_nothing(
    first: subprocess.CompletedProcess[str], cycle: Cycle, client: MlflowClient, root: Path
) -> None:
    before = {run.info.run_id for run in _runs(client)}
    again = cycle("again", root / "images-1")
    assert (again.returncode, "Nothing was done" in again.stdout) == (0, True), again.stderr
    assert {run.info.run_id for run in _runs(client)} == before
    assert [str(one.version) for one in client.search_model_versions("name = 'glassline-P7'")] == ["1"]


def test_cycle_of_other_images_is_compared_with_the_champion(
    first: subprocess.CompletedProcess[str], cycle: Cycle, client: MlflowClient, root: Path
) -> None:
    done = cycle("b", root / "images-2")
    (run,) = [one for one in _pipelines(client) if one.data.tags["cycle"] == "b"]
    verdict = run.data.tags["verdict"]
    assert (done.returncode, verdict) in {(0, "promoted"), (10, "kept")}, done.stdout + done.stderr
    assert str(client.get_model_version_by_alias("glassline-P7", "challenger").version) == "2"
    stands = str(client.get_model_version_by_alias("glassline-P7", "champion").version)
    assert stands == ("2" if verdict == "promoted" else "1")
    assert "| champion 1 |" in (root / "b.md").read_text()
    rules = {name: told for name, told in run.data.tags.items() if name.startswith("gate.")}
    assert {"gate.false_negatives", "gate.significance", "gate.recall", "gate.parity", "gate.latency"} <= set(rules)


def test_data_that_is_refused_ends_with_its_own_code(cycle: Cycle, client: MlflowClient, root: Path) -> None:
    few = root / "images-few"
    simulate_line_scan(120, 3, few)
    told = json.loads((few / "annotations.json").read_text())
    kept = {one["id"] for one in told["categories"][:1]}
    told["annotations"] = [one for one in told["annotations"] if one["category_id"] in kept][:1]
    (few / "annotations.json").write_text(json.dumps(told))
    done = cycle("few", few)
    assert done.returncode == 20, done.stdout + done.stderr
    assert "data refused" in (root / "few.md").read_text()
    assert "Traceback" not in done.stderr

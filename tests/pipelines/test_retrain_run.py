"""One smoke run of the main job, looked at as its users would."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from glassline.deploy.bundle import load_bundle
from glassline.deploy.references import read_references

STEPS = {
    "import_images", "apply_reviews", "extract_candidates", "split_samples", "augment_samples", "train_ensemble",
    "cross_validate", "compare_champion", "queue_review",
    "evaluate_classifier", "explain_cam", "embed_tsne", "compare_models", "export_model", "promote_model",
    "write_report", "analyse_inputs", "hold_out", "train_triplet", "label_severity", "train_regression",
    "train_defect_types", "detect_defects", "evaluate_detection", "export_detector",
}  # fmt: skip

Glassline = Callable[..., subprocess.CompletedProcess[str]]
Smoke = tuple[Path, str]


@pytest.fixture(scope="module")
def client(smoke: Smoke) -> MlflowClient:
    return MlflowClient(f"sqlite:///{smoke[0] / 'mlflow.db'}")


@pytest.fixture(scope="module")
def runs(client: MlflowClient) -> list[Run]:
    experiment = client.get_experiment_by_name("glassline-glass")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def _parent(runs: list[Run]) -> Run:
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    return parent


def _children(runs: list[Run], parent: Run) -> list[Run]:
    return [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]


def test_retrain_opens_one_child_run_per_step(runs: list[Run]) -> None:
    steps = [run.data.tags["glassline.step"] for run in _children(runs, _parent(runs))]
    assert set(steps) == STEPS
    # The folds and the images to search run in two parts; two models are embedded and exported.
    twice = {"cross_validate", "embed_tsne", "export_model", "detect_defects"}
    assert {step for step in steps if steps.count(step) == 2} == twice
    assert len(steps) == len(STEPS) + 4


def test_retrain_closes_every_run_as_finished(runs: list[Run]) -> None:
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_retrain_keeps_folds_as_children_of_their_step(runs: list[Run]) -> None:
    validated = [run for run in runs if run.data.tags.get("glassline.step") == "cross_validate"]
    names = {child.info.run_name for step in validated for child in _children(runs, step)}
    assert names == {
        f"fold {fold} {model}" for fold in range(3) for model in ("cnn", "ensemble_fusion", "triplet", "svm")
    }


def test_retrain_logs_a_metric_per_epoch(runs: list[Run], client: MlflowClient) -> None:
    fold = next(run for run in runs if run.info.run_name == "fold 0 cnn")
    assert [point.step for point in client.get_metric_history(fold.info.run_id, "train_loss")] == [0, 1]


def test_retrain_tags_its_run_with_data_hash_commit_and_decision(runs: list[Run]) -> None:
    tags = _parent(runs).data.tags
    assert len(tags["data_hash"]) == 64
    assert tags["verdict"] in {"promoted", "kept"}  # two epochs may not beat a constant answer
    assert tags["glassline.commit"]


def test_retrain_registers_a_model_that_is_champion_when_it_was_promoted(runs: list[Run], client: MlflowClient) -> None:
    aliases = client.get_registered_model("glassline-glass").aliases
    assert ("champion" in aliases) == (_parent(runs).data.tags["verdict"] == "promoted")
    assert client.get_model_version("glassline-glass", aliases["challenger"]).source.startswith("models:/")


@pytest.mark.parametrize(("model", "system"), [("ensemble_fusion", "A"), ("triplet", "B")])
def test_retrain_exports_bundles_that_load(
    runs: list[Run], client: MlflowClient, tmp_path: Path, model: str, system: str
) -> None:
    (export,) = [run for run in runs if run.info.run_name == f"export_model ({model})"]
    path = client.download_artifacts(export.info.run_id, "bundle/bundle.zip", str(tmp_path))
    bundle = load_bundle(path)
    assert (bundle.manifest.system, bundle.manifest.model) == (system, model)
    assert bundle.manifest.parity["largest_difference"] <= bundle.manifest.parity["tolerance"]
    assert "card.md" in zipfile.ZipFile(path).namelist()
    assert ("unknown_distance" in bundle.thresholds) == (system == "B")


def test_a_class_is_enrolled_into_the_exported_bundle(
    glassline: Glassline, runs: list[Run], client: MlflowClient, tiles: Path, tmp_path: Path
) -> None:
    (export,) = [run for run in runs if run.info.run_name == "export_model (triplet)"]
    path = client.download_artifacts(export.info.run_id, "bundle/bundle.zip", str(tmp_path))
    told = ("--format", "image-folder", "--label", "dark", "--out")
    done = glassline("enrol", path, tiles, *told, tmp_path / "dark.zip")
    assert done.returncode == 0, done.stdout + done.stderr
    bundle = load_bundle(tmp_path / "dark.zip")
    assert bundle.manifest.classes == (*load_bundle(path).manifest.classes, "dark")
    assert read_references(bundle).labels.count("dark") == len(list((tiles / "dark").iterdir()))
    for name, error in (
        ("again.zip", "a new class needs a new name, got 'dark'"),
        ("dark.zip", "--out must be a file of"),
    ):
        again = glassline("enrol", tmp_path / "dark.zip", tiles, *told, tmp_path / name)
        assert again.returncode == 1
        assert again.stderr.startswith(f"error: {error}")


def test_retrain_links_the_tracked_errors_from_its_own_run(runs: list[Run], client: MlflowClient) -> None:
    assert "tsne_triplet.html" in {file.path for file in client.list_artifacts(_parent(runs).info.run_id)}


def test_retrain_judges_every_patch_once_per_model(smoke: Smoke) -> None:
    (path,) = smoke[0].glob("artifacts/*/evaluate-classifier/evaluation/predictions.parquet")
    pooled = pd.read_parquet(path)
    assert not pooled.duplicated(["model", "unit"]).any()
    assert pooled.groupby("model")["unit"].nunique().nunique() == 1


def test_retrain_prints_table_report_and_mlflow_command(smoke: Smoke) -> None:
    out, screen = smoke
    assert "ensemble_fusion" in screen
    assert f"report: {out / 'report.html'}" in screen
    assert "mlflow ui --backend-store-uri sqlite:///" in screen


def test_retrain_report_is_one_page_without_requests(smoke: Smoke) -> None:
    page = (smoke[0] / "report.html").read_text(encoding="utf-8")
    assert "Confusion matrix of ensemble_fusion" in page
    assert 'src="http' not in page


def test_retrain_report_shows_intervals_and_every_pair_of_models(smoke: Smoke) -> None:
    page = (smoke[0] / "report.html").read_text(encoding="utf-8")
    for part in ("macro F1 low", "recall high", 'alt="Which of two models is right more often"'):
        assert part in page


def test_retrain_leaves_nothing_half_written(smoke: Smoke) -> None:
    assert not list(smoke[0].rglob("*.partial"))
    assert not list((smoke[0] / "store" / "checkpoints").rglob("*.ckpt"))

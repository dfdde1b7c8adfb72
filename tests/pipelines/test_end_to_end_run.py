"""One run from a rig session to an exported model: nested pipelines, one MLflow run."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from glassline.deploy.bundle import load_bundle
from pipelines.catalogue import COMPILED

Glassline = Callable[..., subprocess.CompletedProcess[str]]
SMALL = (
    "--set", "retrain.training.epochs=1", "--set", "retrain.parts=1", "--set", "capture.proposals=false",
    "--set", "retrain.zone_parts=1", "--set", "retrain.segmentation.epochs=1",
    "--set", "retrain.segmentation.patches=8", "--set", "retrain.image_parts=1",
    "--set", "retrain.regression.epochs=1", "--set", "retrain.regression.patches=8",
    "--set", "retrain.defect_types.epochs=1", "--set", "retrain.defect_types.windows=32",
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(glassline: Glassline, rig_session: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder and the screen of one run."""
    out = tmp_path_factory.mktemp("end") / "run"
    done = glassline("run", "end_to_end", "--data", rig_session, "--out", out, *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


@pytest.fixture(scope="module")
def runs(finished: tuple[Path, str]) -> list[Run]:
    client = MlflowClient(f"sqlite:///{finished[0] / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("glassline-glass")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def test_end_to_end_keeps_the_steps_of_both_pipelines_below_one_run(runs: list[Run]) -> None:
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    below = {run.info.run_name for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id}
    assert {"ingest_captures", "merge_labels", "import_labels", "extract_candidates"} <= below
    assert {"export_model (ensemble_fusion)", "export_model (triplet)"} <= below
    assert {"train_unet", "segment_captures (zones 1 of 1)", "judge_glasses", "evaluate_segmentation"} <= below
    assert {"label_severity", "train_regression", "train_defect_types", "detect_defects (images 1 of 1)"} <= below
    assert {"evaluate_detection", "export_detector"} <= below
    assert "propose_labels" not in below  # its branch was not taken
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_end_to_end_exports_a_bundle_that_says_how_patches_were_made(
    finished: tuple[Path, str], runs: list[Run], tmp_path: Path
) -> None:
    export = next(run for run in runs if run.info.run_name == "export_model (ensemble_fusion)")
    client = MlflowClient(f"sqlite:///{finished[0] / 'mlflow.db'}")
    manifest = load_bundle(client.download_artifacts(export.info.run_id, "bundle/bundle.zip", str(tmp_path))).manifest
    assert manifest.preprocessing["extract"]["depth_window"] == [0, 1500]
    assert manifest.classes == ("scratch", "dent", "control")


def test_end_to_end_exports_a_network_with_the_threshold_that_validation_chose(
    finished: tuple[Path, str], runs: list[Run], tmp_path: Path
) -> None:
    (judged,) = [run for run in runs if run.info.run_name == "judge_glasses"]
    (export,) = [run for run in runs if run.info.run_name == "export_unet"]
    client = MlflowClient(f"sqlite:///{finished[0] / 'mlflow.db'}")
    bundle = load_bundle(client.download_artifacts(export.info.run_id, "bundle/bundle.zip", str(tmp_path)))
    assert bundle.manifest.system == "C"
    assert bundle.thresholds["high"] == judged.data.metrics["high"]


def test_end_to_end_exports_a_network_that_inspects_a_glass_of_the_session(
    glassline: Glassline, finished: tuple[Path, str], runs: list[Run], rig_session: Path, tmp_path: Path
) -> None:
    (export,) = [run for run in runs if run.info.run_name == "export_unet"]
    client = MlflowClient(f"sqlite:///{finished[0] / 'mlflow.db'}")
    bundle = client.download_artifacts(export.info.run_id, "bundle/bundle.zip", str(tmp_path))
    done = glassline("inspect", bundle, f"{rig_session}/G0001.zarr", "--out", tmp_path / "verdicts")
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = map(json.loads, (tmp_path / "verdicts" / "verdicts.jsonl").read_text().splitlines())
    assert (line["unit"], line["system"]) == ("G0001", "C")


def test_end_to_end_exports_a_detector_of_the_session_s_depth(
    finished: tuple[Path, str], runs: list[Run], tmp_path: Path
) -> None:
    (export,) = [run for run in runs if run.info.run_name == "export_detector"]
    client = MlflowClient(f"sqlite:///{finished[0] / 'mlflow.db'}")
    bundle = load_bundle(client.download_artifacts(export.info.run_id, "bundle/bundle.zip", str(tmp_path)))
    assert bundle.manifest.system == "E"
    assert bundle.manifest.preprocessing["depth_window"] == [0, 1500]
    assert bundle.manifest.classes == ("scratch", "dent", "clean")
    assert bundle.manifest.pitch_um == 10


def test_end_to_end_report_tells_of_scratches(finished: tuple[Path, str]) -> None:
    page = (finished[0] / "report.html").read_text(encoding="utf-8")
    assert "Errors on the test glasses and their zones" in page
    assert "Verdict on each glass" in page


def test_end_to_end_prints_models_labels_and_report(finished: tuple[Path, str]) -> None:
    out, screen = finished
    for words in ("ensemble_fusion", f"labels: {out / 'labels.json'}", f"report: {out / 'report.html'}"):
        assert words in screen


def test_end_to_end_is_one_yaml_that_nests_both_bodies_and_one_exit_handler() -> None:
    spec = next(yaml.safe_load_all((COMPILED / "end_to_end.yaml").read_text()))
    assert {"comp-collect", "comp-learn", "comp-exit-handler-1"} <= set(spec["components"])
    assert [name for name in spec["components"] if "exit-handler" in name] == ["comp-exit-handler-1"]


def test_compiled_yaml_names_secrets_and_holds_none() -> None:
    for path in COMPILED.glob("*.yaml"):
        told = [document for document in yaml.safe_load_all(path.read_text()) if "platforms" in document]
        environment = told[0]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        for step in environment.values():
            assert {secret["secretName"] for secret in step["secretAsEnv"]} == {"glassline-s3", "glassline-mlflow"}
            for secret in step["secretAsEnv"]:
                assert secret["optional"]
                assert set(secret) == {"keyToEnv", "optional", "secretName", "secretNameParameter"}

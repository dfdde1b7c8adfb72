"""One run of `transfer` on small images, looked at as its users would; what a list of sources must be."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from glassline.deploy.bundle import load_bundle
from glassline.deploy.runtime import OnnxClassifier
from pipelines.transfer_settings import PRESETS

STEPS = {
    "import_images": 1, "cut_patches": 1, "import_source": 2, "split_samples": 1, "measure_affinity": 1,
    "select_sources": 1, "train_transfer": 4, "localise_defects": 1, "export_transfer": 1, "evaluate_transfer": 1,
}  # fmt: skip

Glassline = Callable[..., subprocess.CompletedProcess[str]]


def _mask_folder(folder: Path, classes: dict[str, int], images: int, seed: int) -> None:
    """Write images with a spot of a class's grey level, a mask beside each; level 0 leaves the image clean."""
    generator = np.random.default_rng(seed)
    for name, level in classes.items():
        (folder / name / "Imgs").mkdir(parents=True)
        for number in range(images):
            grey_HW, mask_HW = generator.normal(120, 4, (160, 192)), np.zeros((160, 192), np.uint8)
            x_px, y_px = generator.integers(30, 110, 2)
            mask_HW[y_px : y_px + 24, x_px : x_px + 24] = 255 if level else 0
            grey_HW += level * (mask_HW > 0)
            stem = folder / name / "Imgs" / str(number)
            cv2.imwrite(f"{stem}.jpg", grey_HW.clip(0, 255).astype(np.uint8))
            cv2.imwrite(f"{stem}.png", mask_HW)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new product beside two older ones: marks alike, and marks of the other sign."""
    root = tmp_path_factory.mktemp("products")
    _mask_folder(root / "new", {"spot": 60, "plain": 0}, 9, 0)
    _mask_folder(root / "alike", {"spot": 50, "plain": 0}, 6, 1)
    _mask_folder(root / "dark", {"pit": -60, "plain": 0}, 6, 2)
    listed = [{"data": f"../{name}", "data_format": "mask-folder", "product": name} for name in ("alike", "dark")]
    (root / "new" / "sources.yaml").write_text(yaml.safe_dump(listed))
    return root / "new"


@pytest.fixture(scope="module")
def done(glassline: Glassline, data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and screen of the run."""
    out = tmp_path_factory.mktemp("transfer") / "run"
    words = ["data_format=mask-folder", "cut.window_px=64", "cut.step_px=48", "localise.step_px=32"]
    # Few samples, of which one source wins all: ratios at the end of their scale contradict each other.
    words.append("affinity.largest_inconsistency=1")
    sets = [word for pair in words for word in ("--set", pair)]
    ran = glassline("run", "transfer", "--preset", "smoke", "--data", data, "--out", out, *sets)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return out, ran.stdout


@pytest.fixture(scope="module")
def client(done: tuple[Path, str]) -> MlflowClient:
    return MlflowClient(f"sqlite:///{done[0] / 'mlflow.db'}")


@pytest.fixture(scope="module")
def runs(client: MlflowClient) -> list[Run]:
    experiment = client.get_experiment_by_name("glassline-glass")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def _of(runs: list[Run], step: str) -> list[Run]:
    return [run for run in runs if run.data.tags.get("glassline.step") == step]


def _files(run: Run, folder: Path, name: str) -> list[Path]:
    return sorted((folder / "mlartifacts" / run.info.run_id).rglob(name))


def test_every_step_runs_and_ends(runs: list[Run]) -> None:
    assert {step: len(_of(runs, step)) for step in STEPS} == STEPS
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_the_run_is_tagged_by_the_new_product_and_its_sources(runs: list[Run]) -> None:
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert parent.data.tags["product"] == "glass"
    names = {"alike/spot", "alike/plain", "dark/pit", "dark/plain"}
    assert set(parent.data.tags["sources"].split(", ")) <= names
    assert {"transfer_tpr", "transfer_tnr", "transfer_average_precision"} <= set(parent.data.metrics)


def test_what_stands_beside_the_choice_learned_from_what_it_says(runs: list[Run], done: tuple[Path, str]) -> None:
    (page_run,) = _of(runs, "evaluate_transfer")
    (told,) = [json.loads(path.read_text()) for path in done[0].glob("artifacts/**/comparison/networks.json")]
    samples = {one["arm"]: one["samples"] for one in told}
    assert [*samples] == ["dataonomy", "all", "random", "none"]
    assert samples["none"] == 0
    assert max(samples["dataonomy"], samples["random"]) <= min(300, samples["all"])
    assert _files(page_run, done[0], "transfer.html")


def test_the_bundle_is_of_system_d_and_runs(runs: list[Run], client: MlflowClient, tmp_path: Path) -> None:
    (exported,) = _of(runs, "export_transfer")
    bundle = load_bundle(client.download_artifacts(exported.info.run_id, "bundle/bundle.zip", str(tmp_path)))
    assert (bundle.manifest.system, bundle.manifest.classes) == ("D", ("defect", "plain"))
    assert bundle.manifest.start.startswith("random")
    assert set(bundle.thresholds) == {"least_probability", "least_heat"}
    probability_NC = OnnxClassifier(bundle).predict(np.zeros((2, 112, 112), np.uint8), np.zeros((2, 0), np.float32))
    np.testing.assert_allclose(probability_NC.sum(axis=1), 1, atol=1e-5)
    assert client.get_model_version_by_alias("glassline-glass-transfer", "challenger").run_id == exported.info.run_id


def test_random_weights_are_told(runs: list[Run]) -> None:
    notes = [run.data.tags["glassline.notes"] for run in _of(runs, "train_transfer")]
    assert all("weights that are random" in note for note in notes)


def test_a_run_without_a_list_of_sources_says_what_to_write(glassline: Glassline, data: Path, tmp_path: Path) -> None:
    words = ("--set", "data_format=mask-folder", "--set", f"sources={tmp_path / 'none.yaml'}")
    ran = glassline("run", "transfer", "--data", data, "--out", tmp_path / "run", *words)
    assert ran.returncode == 1
    assert "must be a YAML list of data sets to learn from" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_presets_take_inception_as_published_where_there_is_time() -> None:
    assert PRESETS["full"]().transfer.backbone.network == "inception_v3"

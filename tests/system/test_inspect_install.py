"""The inspector's own installation: a fresh environment, without anything that training needs."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.deploy.bundles import classifier_bundle

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "kfp", "mlflow", "lightning", "pandas", "matplotlib")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Install `glassline[inspect]` and return the environment's folder of commands."""
    folder = tmp_path_factory.mktemp("line") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    constraints = ["--quiet", "--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([str(folder / "bin" / "pip"), "install", *constraints, f"{ROOT}[inspect]"], check=True)
    return folder / "bin"


def test_nothing_that_training_needs_is_installed(installed):
    listed = subprocess.run([str(installed / "pip"), "list", "--format=json"], capture_output=True, text=True)
    assert not {one["name"].lower() for one in json.loads(listed.stdout)} & set(HEAVY)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_it_judges_images(installed, tmp_path, runtime):
    classifier_bundle(tmp_path / "bundle.zip")
    noise_HW = np.random.default_rng(0).integers(0, 256, (90, 120), np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), noise_HW)
    words = ["inspect", tmp_path / "bundle.zip", tmp_path / "a.png", "--runtime", runtime, "--out", tmp_path / "out"]
    done = subprocess.run([str(installed / "glassline"), *map(str, words)], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, (tmp_path / "out" / "verdicts.jsonl").read_text().splitlines())
    assert line["runtime"] == runtime


def test_it_judges_glasses_and_defects_with_severity(
    installed, tmp_path, segmenter_bundle, detector_bundle, dark_zone, zone_meta
):
    from glassline.data.captures.store import open_captures

    open_captures(tmp_path / "captures").write(zone_meta(), dark_zone()[0])
    noise_HW = np.random.default_rng(0).integers(0, 256, (90, 120), np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), noise_HW)
    for bundle, place in ((segmenter_bundle, "captures"), (detector_bundle(), "a.png")):
        words = ["inspect", bundle, tmp_path / place, "--out", tmp_path / f"out {place}"]
        done = subprocess.run([str(installed / "glassline"), *map(str, words)], capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr

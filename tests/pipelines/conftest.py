"""The command line as a user runs it, and one smoke run that several tests look at."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Glassline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def glassline() -> Glassline:
    """Run `glassline …` in a process of its own; MLflow lies where the run says."""

    def call(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        mlflow = {"MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"}
        inherited = {name: value for name, value in os.environ.items() if name not in mlflow}
        return subprocess.run(
            [sys.executable, "-m", "glassline_cli", *map(str, words)],
            capture_output=True, text=True, timeout=900, env={**inherited, **environment},
        )  # fmt: skip

    return call


@pytest.fixture(scope="session")
def smoke(glassline: Glassline, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder and the screen of one smoke run."""
    out = tmp_path_factory.mktemp("smoke") / "run"
    done = glassline("run", "retrain", "--preset", "smoke", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


@pytest.fixture(scope="session")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small folder of images by class: dark spots on grey, bright spots, and plain glass."""
    import cv2
    import numpy as np

    root = tmp_path_factory.mktemp("tiles")
    generator = np.random.default_rng(0)
    for name, level in (("bright", 70), ("dark", -70), ("plain", 0)):
        (root / name).mkdir()
        for number in range(6):
            grey_HW = generator.normal(120, 4, (160, 200))
            x_px, y_px = generator.integers(40, 120, 2)
            grey_HW[y_px : y_px + 12, x_px : x_px + 12] += level
            cv2.imwrite(str(root / name / f"{number}.png"), grey_HW.clip(0, 255).astype(np.uint8))
    return root

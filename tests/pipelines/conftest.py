"""One smoke run that several tests look at."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Glassline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def smoke(glassline: Glassline, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder and the screen of one smoke run."""
    out = tmp_path_factory.mktemp("smoke") / "run"
    done = glassline("run", "retrain", "--preset", "smoke", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout

"""Small images on disk, and the real data sets where they are."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets; absent is an error in CI and a skip elsewhere."""
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("GLASSLINE_DATA", default))
    if not folder.is_dir():
        message = f"real data must lie in {folder}; set GLASSLINE_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture
def write_image(tmp_path: Path) -> Callable[..., Path]:
    """Write an image of its own content: write_image("a/b.png", seed=3, width=40, height=30)."""

    def write(name: str, seed: int = 0, width: int = 40, height: int = 30, pixels: np.ndarray | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
        assert cv2.imwrite(str(path), pixels)
        return path

    return write

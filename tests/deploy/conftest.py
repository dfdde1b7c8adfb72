"""A manifest and the files of a bundle that needs no model."""

from typing import Any

import pytest

from glassline.deploy.bundle import Manifest


@pytest.fixture
def manifest() -> Manifest:
    """A manifest for patches of 112 px with three metadata values and two classes."""
    return Manifest(
        system="A", model="cnn", classes=("dent", "control"), clean_class="control", input_px=(112, 112),
        bit_depth=8, channels=1, pitch_um=None, attributes=("x_mm", "y_mm", "attr_area"),
        preprocessing={"extract": {"min_overlap": 0.05}}, data_hash="d" * 64, code_version="c" * 40,
        metrics={"accuracy": 0.9, "recall_dent": 0.8}, parity={"largest_difference": 1e-7, "tolerance": 1e-4},
        sha256={},
    )  # fmt: skip


@pytest.fixture
def files() -> dict[str, bytes]:
    return {"model.onnx": b"graph" * 100, "card.md": b"# card\n"}


@pytest.fixture
def thresholds() -> dict[str, Any]:
    return {"least_probability": {"dent": 0.5, "control": 0.0}}

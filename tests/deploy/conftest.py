"""A manifest and the files of a bundle that needs no model; a bundle of an untrained segmentation network."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from glassline.data.captures.zone_format import ZoneFormat
from glassline.deploy.bundle import Manifest
from glassline.deploy.export_segmenter import export_bundle
from glassline.models.segmenters import build_segmenter
from glassline.training.fitted_segmenter import FittedSegmenter
from glassline.training.losses import build_loss
from glassline.training.settings import SegmentationSettings
from glassline.vision.scratches import FindSettings
from glassline.vision.tiles import TileSettings


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


@pytest.fixture(scope="session")
def segmenter_fitted() -> FittedSegmenter:
    """Return an untrained network of six light states."""
    torch.manual_seed(0)
    settings = SegmentationSettings.parse({"unet": {"width": 1 / 32}})
    azimuths_deg = tuple(30.0 * state for state in range(6))
    of = ZoneFormat(azimuths_deg=azimuths_deg, pattern="GRBG", bit_depth=12, pitch_um=10)
    return FittedSegmenter(build_segmenter(6, settings.unet).eval(), build_loss(settings.loss), settings, of)


@pytest.fixture(scope="session")
def segmenter_bundle(segmenter_fitted: FittedSegmenter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its bundle."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    tiles = [np.random.default_rng(1).normal(0, 30, (1, 6, 64, 64)).astype(np.float32)]
    export_bundle(
        segmenter_fitted, path, tiles, TileSettings(tile_px=128, overlap_px=32), FindSettings(high=0.6), "d" * 64,
        "c" * 40, {"glass_fn_rate": 0.02},
    )  # fmt: skip
    return path

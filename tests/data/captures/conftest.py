"""Small zones."""

from collections.abc import Callable

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import Captures, open_captures


@pytest.fixture
def captures(tmp_path) -> Captures:
    return open_captures(tmp_path / "captures")


@pytest.fixture
def make_meta() -> Callable[..., ZoneMeta]:
    """Return the meta of a zone of six light states: make_meta(zone=3)."""

    def make(**changes) -> ZoneMeta:
        told = {
            "product": "P1", "cycle": "2026a", "glass": "G0001", "kind": "clean", "zone": 3, "stage_x_mm": 37.0,
            "stage_y_mm": 0.5, "exposure_us": (900.0,) * 6, "gain_db": 1.5,
            "azimuths_deg": (0.0, 30.0, 60.0, 90.0, 120.0, 150.0), "camera_model": "C1", "camera_serial": "7",
            "pattern": "GRBG", "bit_depth": 12, "pitch_um": 11.4, "overlap_px": 8,
            "taken_utc": "2026-01-02T03:04:05Z",
        }  # fmt: skip
        return ZoneMeta(**{**told, **changes})

    return make


@pytest.fixture
def make_frames() -> Callable[..., np.ndarray]:
    """Return dark 12-bit frames of their own content: make_frames(seed=1)."""

    def make(seed: int = 0, shape_SHW: tuple[int, int, int] = (6, 40, 60)) -> np.ndarray:
        generator = np.random.default_rng(seed)
        return generator.normal(60, 4, shape_SHW).round().clip(0, 4095).astype(np.uint16)

    return make


@pytest.fixture
def zone(captures, make_meta, make_frames):
    """Write zone clean-03 of glass G0001 and return its name."""
    meta = make_meta()
    captures.write(meta, make_frames())
    return meta.ref

import cv2
import numpy as np
import pytest

from glassline.errors import DeviceError
from hardware_ingest.stage.logic import GrblStage
from hardware_ingest.stage.repeatability import Repeatability, repeatability
from hardware_ingest.stage.settings import StageSettings
from hardware_ingest.stage.sim import SimulatedGrbl, SimulatedLine

PITCH_UM = 10.0


def view(x_px: int = 0, y_px: int = 0, grains: int = 60) -> np.ndarray:
    """A window of one dusty glass, with fresh noise."""
    places = np.random.default_rng(0).integers(20, 280, (grains, 2))
    glass = np.zeros((300, 300), np.float32)
    glass[tuple(places.T)] = 20_000
    glass = cv2.GaussianBlur(glass, (0, 0), 1.2)[20 + y_px : 276 + y_px, 20 + x_px : 276 + x_px]
    noise = np.random.default_rng([x_px + 50, y_px + 50]).normal(100, 2, glass.shape)
    return (glass + noise).astype(np.uint16)


def measured(*views: np.ndarray) -> Repeatability:
    machine = SimulatedGrbl()
    stage = GrblStage(SimulatedLine(machine), StageSettings(feed_mm_s=5000))
    stage.ensure_ready()
    away = view(grains=0)
    seen = iter([views[0], *(frame_HW for later in views[1:] for frame_HW in (away, later))])
    return repeatability(stage, lambda: next(seen), "mono", PITCH_UM, (5, 5), (9, 9), times=len(views) - 1)


def test_repeatability_is_the_farthest_that_is_seen():
    assert measured(view(), view(3, -4), view(1, 0)).seen_um == pytest.approx(50, abs=5)


def test_repeatability_of_the_same_view_is_none():
    found = measured(view(), view())
    assert found.reported_um == 0
    assert found.seen_um == pytest.approx(0, abs=1)


def test_repeatability_needs_something_to_see():
    with pytest.raises(DeviceError, match="put a glass with dust"):
        measured(view(grains=0), view(1, 1, grains=0))

import numpy as np
import pytest

from hardware_ingest.stage.logic import GrblStage
from hardware_ingest.stage.repeatability import repeatability, shift_px
from hardware_ingest.stage.settings import StageSettings
from hardware_ingest.stage.sim import SimulatedGrbl, SimulatedLine


def view(x_px: int = 0, y_px: int = 0, seed: int = 0) -> np.ndarray:
    """A window of one dusty glass."""
    glass = np.random.default_rng(seed).integers(0, 4096, (150, 160), dtype=np.uint16)
    glass = np.kron(glass, np.ones((2, 2), np.uint16))
    return glass[20 + y_px : 220 + y_px, 20 + x_px : 240 + x_px]


def test_shift_is_found_in_both_axes():
    x_px, y_px = shift_px(view(), view(-6, 4))
    assert (x_px, y_px) == pytest.approx((6, -4), abs=0.2)


def test_shift_of_the_same_frame_is_none():
    assert shift_px(view(), view()) == pytest.approx((0, 0), abs=1e-3)


def test_repeatability_tells_what_is_reported_and_what_is_seen():
    machine = SimulatedGrbl()
    stage = GrblStage(SimulatedLine(machine), StageSettings(feed_mm_s=5000))
    stage.ensure_ready()
    frames = iter([view(), view(2, 0), view(0, 0)])
    found = repeatability(stage, lambda: next(frames), 10.0, (5, 5), (9, 9), times=2)
    assert found.reported_um == 0
    assert found.seen_um == pytest.approx(20, abs=2)

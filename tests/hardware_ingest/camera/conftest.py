import numpy as np
import pytest

from hardware_ingest.camera.settings import loopback_camera
from hardware_ingest.camera.sim import SimCamera


class Lamps:
    """A scene whose brightness is the number of the lit group, plus one."""

    def __init__(self):
        self.lit = (0,)
        self.place_mm = (0.0, 0.0)

    def expose(self, x_mm, y_mm, groups, exposure_us, gain_db, size_px):
        width_px, height_px = size_px
        return np.full((height_px, width_px), 1 + sum(groups) + 100 * round(x_mm), np.uint16)


@pytest.fixture
def lamps():
    return Lamps()


@pytest.fixture
def camera(lamps):
    """Ready, and waiting for triggers."""
    camera = SimCamera(loopback_camera(width_px=8, height_px=6), lamps, lambda: lamps.place_mm, lambda: lamps.lit)
    camera.ensure_ready()
    camera.start_acquiring()
    return camera

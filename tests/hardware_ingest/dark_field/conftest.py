import numpy as np
import pytest

from hardware_ingest.dark_field.glass import Glass
from hardware_ingest.dark_field.light import Ground, Ring
from hardware_ingest.dark_field.place import Place
from hardware_ingest.dark_field.scatter import View, flank_lobe
from hardware_ingest.dark_field.settings import Difficulty
from hardware_ingest.dark_field.strokes import Stroke

#: A ring without any unevenness over glass without bulk scatter or glare.
IDEAL = Difficulty(
    bulk_rate=0, stray_rate=0, glare_rate=0, falloff=0, tilt=0, group_spread=0, hot_per_mpx=0, jitter_um=0
)


@pytest.fixture
def line():
    """Return a function that makes a straight line through (1, 1) mm that is lit across from an azimuth."""

    def line(across_deg, width_mm=0.03, length_mm=1.0):
        along = np.deg2rad(across_deg - 90)
        share_V = np.linspace(-0.5, 0.5, 21) * length_mm
        line_V2 = np.array([1.0, 1.0]) + np.outer(share_V, [np.cos(along), np.sin(along)])
        return Stroke(line_V2, width_mm, *np.ones((2, 21), np.float32), np.zeros(21, np.float32))

    return line


@pytest.fixture
def view():
    return View(0, 0, 200, 180, 11.4)


@pytest.fixture
def see(view):
    """Return a function that puts marks on ideal glass."""

    def see(*marks):
        ring = Ring(0, IDEAL, view.width_px, view.height_px)
        return Place(Glass(marks, (20.0, 20.0)), view, ring, Ground(IDEAL, (20.0, 20.0)))

    return see


@pytest.fixture
def flank():
    return flank_lobe(5, 0.05, 0.0)

"""The ring's light in the camera's view, and what glass and rim make of it where nothing lies on them.

The ring stands still over the camera, so its unevenness belongs to the view; bulk scatter and the rim's
glare belong to the glass.
Shapes: H x W pixels, coarse or fine; K places.
"""

import numpy as np
import numpy.typing as npt

from hardware_ingest.dark_field.glass import RIM_MM, Stream, child
from hardware_ingest.dark_field.scatter import Real, View
from hardware_ingest.dark_field.settings import Difficulty
from hardware_ingest.devices import LED_GROUPS

#: Azimuth of each LED group.
GROUPS_DEG = tuple(360.0 / LED_GROUPS * group for group in range(LED_GROUPS))

# How far the rim's glare reaches into the glass, and beyond it, where nothing but haze carries it.
_GLARE_IN_MM, _GLARE_OUT_MM = 0.5, 0.15


class Ring:
    """The light of each LED group over the view: its brightness, its tilt, the loss to the corners."""

    def __init__(self, seed: int, difficulty: Difficulty, width_px: int, height_px: int) -> None:
        """Draw the rig's ring.

        Args:
            seed: Seed of the data set; all its glasses are seen by one rig.
            difficulty: How uneven the ring is.
            width_px: Width of the whole view.
            height_px: Height of the whole view.
        """
        rng = np.random.default_rng(child(seed, Stream.rig, 0))
        self._level = 1 + difficulty.group_spread * np.clip(rng.standard_normal(LED_GROUPS), -2.5, 2.5)
        self._tilt = difficulty.tilt * rng.uniform(0.7, 1.3, LED_GROUPS)
        self._wave_deg = rng.uniform(0, 360, LED_GROUPS)
        self._falloff = difficulty.falloff
        self._middle_px = (width_px - 1) / 2, (height_px - 1) / 2
        self._corner_px = float(np.hypot(width_px, height_px)) / 2

    def at(self, group: int, column_K: npt.ArrayLike, row_K: npt.ArrayLike) -> Real:
        """Return the light of one group at places of the view, about 1 in its middle."""
        x_K = (np.asarray(column_K, np.float32) - np.float32(self._middle_px[0])) / np.float32(self._corner_px)
        y_K = (np.asarray(row_K, np.float32) - np.float32(self._middle_px[1])) / np.float32(self._corner_px)
        azimuth, wave = np.deg2rad(GROUPS_DEG[group]), np.deg2rad(self._wave_deg[group])
        towards_K = x_K * np.float32(np.cos(azimuth)) + y_K * np.float32(np.sin(azimuth))
        along_K = x_K * np.float32(np.cos(wave)) + y_K * np.float32(np.sin(wave))
        uneven_K = 1 + np.float32(self._tilt[group]) * towards_K + np.float32(0.03) * np.sin(np.float32(4) * along_K)
        lost_K = 1 - np.float32(self._falloff) * (x_K**2 + y_K**2)
        return np.asarray(np.float32(self._level[group]) * uneven_K * lost_K, np.float32)


class Ground:
    """Glass with nothing on it: faint bulk scatter, and glare along its four straight sides."""

    def __init__(self, difficulty: Difficulty, size_mm: tuple[float, float]) -> None:
        """Remember the glass's size: it reaches a little beyond what the zones cover."""
        self._bulk_rate, self._glare_rate = difficulty.bulk_rate, difficulty.glare_rate
        self._size_mm = size_mm

    def rate(self, group: int, view: View, column_W: Real, row_H: Real) -> Real:
        """Return the scatter under one group at rows x columns of a view, DN/ms before the ring's unevenness."""
        x_W = view.x_mm + column_W * np.float32(view.pitch_mm)
        y_H = view.y_mm + row_H * np.float32(view.pitch_mm)
        (x_glare_W, on_W), (y_glare_H, on_H) = _sides(x_W, self._size_mm[0]), _sides(y_H, self._size_mm[1])
        # The sides are ground: they shine whenever lit, most when lit across; chips make them uneven.
        azimuth = np.deg2rad(GROUPS_DEG[group])
        x_glare_W = x_glare_W * np.float32(0.3 + 0.7 * np.cos(azimuth) ** 2)
        y_glare_H = y_glare_H * np.float32(0.3 + 0.7 * np.sin(azimuth) ** 2)
        chips_HW = (1 + 0.15 * np.sin(0.9 * y_H + 1))[:, None] * (1 + 0.15 * np.sin(0.7 * x_W))
        glare_HW = self._glare_rate * chips_HW * (x_glare_W * (on_H[:, None] > 0) + y_glare_H[:, None] * (on_W > 0))
        return np.asarray(glare_HW + self._bulk_rate * (on_H[:, None] * on_W), np.float32)


def _sides(at_mm: Real, size_mm: float) -> tuple[Real, Real]:
    """Return the glare of two opposite sides at places between and beyond them, and 1 between, 0 beyond."""
    near_mm, far_mm = at_mm + np.float32(RIM_MM), np.float32(size_mm + RIM_MM) - at_mm
    glare = sum(
        np.exp(-np.abs(inside_mm) / np.where(inside_mm > 0, _GLARE_IN_MM, _GLARE_OUT_MM))
        for inside_mm in (near_mm, far_mm)
    )
    return np.asarray(glare, np.float32), np.asarray((near_mm > 0) & (far_mm > 0), np.float32)

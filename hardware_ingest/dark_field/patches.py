"""A patch of glass with a profile over two dimensions: what dents, mold marks, dust, stains, prints share.

Shapes: H x W pixels of the patch's window, N pixels of it that are drawn.
"""

import cv2
import numpy as np

from hardware_ingest.dark_field.scatter import Drawn, Real, Rng, View

# What is fainter than this share of its peak is not drawn.
_SEEN = 0.004


class Window:
    """The part of a view within reach of a place, with coordinates around it.

    Attributes:
        x_HW: Distance from the place along x, mm.
        y_HW: Distance from the place along y, mm.
    """

    def __init__(self, view: View, x_mm: float, y_mm: float, reach_mm: float) -> None:
        """Cut the window of `reach_mm` around a place; it may be empty."""
        x_px, y_px = (x_mm - view.x_mm) / view.pitch_mm, (y_mm - view.y_mm) / view.pitch_mm
        reach_px = reach_mm / view.pitch_mm
        self._columns = np.arange(max(int(x_px - reach_px), 0), min(int(x_px + reach_px) + 2, view.width_px))
        self._rows = np.arange(max(int(y_px - reach_px), 0), min(int(y_px + reach_px) + 2, view.height_px))
        self._width_px = view.width_px
        x_W = ((self._columns - x_px) * view.pitch_mm).astype(np.float32)
        y_H = ((self._rows - y_px) * view.pitch_mm).astype(np.float32)
        self.x_HW, self.y_HW = np.broadcast_arrays(x_W[None, :], y_H[:, None])

    def turned(self, angle_deg: float) -> tuple[Real, Real]:
        """Return coordinates along and across a direction."""
        cos, sin = np.float32(np.cos(np.deg2rad(angle_deg))), np.float32(np.sin(np.deg2rad(angle_deg)))
        along_HW, across_HW = self.x_HW * cos + self.y_HW * sin, self.y_HW * cos - self.x_HW * sin
        return np.asarray(along_HW, np.float32), np.asarray(across_HW, np.float32)

    def drawn(self, extent_HW: Real, level_HW: Real, normal_deg_HW: Real | float) -> Drawn:
        """Return the pixels that show."""
        seen_HW = (level_HW > _SEEN) | (extent_HW > _SEEN)
        row_N, column_N = np.nonzero(seen_HW)
        index_N = (self._rows[row_N] if len(row_N) else row_N) * self._width_px
        index_N = index_N + (self._columns[column_N] if len(column_N) else column_N)
        normal_HW = np.broadcast_to(np.float32(normal_deg_HW), seen_HW.shape)
        return Drawn(index_N.astype(np.int64), extent_HW[seen_HW], level_HW[seen_HW], normal_HW[seen_HW])


def texture(rng: Rng, cells: int) -> Real:
    """Draw a coarse noise of mean 0 and deviation 1, cells x cells, for `sampled`."""
    return rng.standard_normal((cells, cells), np.float32)


def sampled(texture_HW: Real, x_HW: Real, y_HW: Real, cell_mm: float) -> Real:
    """Return the texture, repeated over the plane and smooth between its cells, at places in mm."""
    cells = texture_HW.shape[0]
    if not x_HW.size:
        return np.zeros(x_HW.shape, np.float32)
    column_HW, row_HW = (np.asarray((values / cell_mm) % cells + 2, np.float32) for values in (x_HW, y_HW))
    # One cell more on each side, so that the border's neighbours are those across it.
    wrapped_HW = np.pad(texture_HW, 2, mode="wrap")
    return np.asarray(cv2.remap(wrapped_HW, column_HW, row_HW, cv2.INTER_CUBIC), np.float32)


def bell(distance_HW: Real, sigma: float) -> Real:
    """Return exp(-d^2 / 2 sigma^2)."""
    return np.asarray(np.exp(-(distance_HW**2) / np.float32(2 * sigma**2)), np.float32)

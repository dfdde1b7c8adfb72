"""A line on the glass, straight or bent, with a profile across it: scratches, folds, fibres, pen strokes.

Shapes: V vertices of the centre line, P samples of it, N pixels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from hardware_ingest.dark_field.scatter import Drawn, Index, Real, View

Line = npt.NDArray[np.float64]

# Distance of the samples of a centre line; every pixel finds one nearby.
_STEP_PX = 0.5
_REACH_SIGMA = 3.0


@dataclass(frozen=True)
class Stroke:
    """A line.

    Attributes:
        line_V2: Vertices of its centre line, x and y in mm.
        width_mm: Full width at half maximum.
        ends_V: 0 to 1 along the line; it is missing where this is 0.
        grain_V: Brightness along the line, about 1.
        twist_deg_V: Turn of the direction in which it scatters most, from straight across.
        tracks: Offset from the centre as a share of the width, width as a share, and height of each ridge.
    """

    line_V2: Line
    width_mm: float
    ends_V: Real
    grain_V: Real
    twist_deg_V: Real
    tracks: tuple[tuple[float, float, float], ...] = ((0.0, 1.0, 1.0),)

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that may be drawn."""
        reach_mm = 2 * self.width_mm + 0.05
        left, top = self.line_V2.min(axis=0) - reach_mm
        right, bottom = self.line_V2.max(axis=0) + reach_mm
        return left, top, right, bottom

    def draw(self, view: View) -> Drawn:
        """Return its pixels in a view, none when it lies outside."""
        sigma_px = float(np.hypot(self.width_mm / 2.355 / view.pitch_mm, view.blur_px))
        spread = max(abs(offset) for offset, _, _ in self.tracks)
        reach_px = _REACH_SIGMA * sigma_px + spread * self.width_mm / view.pitch_mm
        line_P2, normal_P2, along_P = self._samples(view, reach_px)
        index_N = _pixels_near(line_P2, normal_P2, reach_px, view)
        if not len(index_N):
            return Drawn(index_N, *(np.zeros(0, np.float32) for _ in range(3)))
        place_N2 = np.stack([index_N % view.width_px, index_N // view.width_px], axis=1).astype(np.float64)
        _, nearest_N = cKDTree(line_P2).query(place_N2)
        off_N2, normal_N2, along_N = place_N2 - line_P2[nearest_N], normal_P2[nearest_N], along_P[nearest_N]
        across_N = np.einsum("nd,nd->n", off_N2, normal_N2)
        # What lies beyond an end of the line lies along it from its nearest sample.
        beyond_N = np.maximum(np.abs(np.einsum("nd,nd->n", off_N2, normal_N2[:, ::-1] * [1, -1])) - _STEP_PX, 0)
        vertices = np.arange(len(self.ends_V))
        ends_N = np.interp(along_N, vertices, self.ends_V) * np.exp(-(beyond_N**2) / (2 * sigma_px**2))
        twist_N = self.twist_deg_V[np.rint(along_N).astype(int)]
        normal_N = np.rad2deg(np.arctan2(normal_N2[:, 1], normal_N2[:, 0])) + twist_N
        extent_N = np.exp(-(across_N**2) / (2 * sigma_px**2)) * ends_N
        level_N = self._across(across_N, view) * ends_N * np.interp(along_N, vertices, self.grain_V)
        return Drawn(index_N, *(np.asarray(values, np.float32) for values in (extent_N, level_N, normal_N)))

    def _samples(self, view: View, reach_px: float) -> tuple[Line, Line, Line]:
        """Return samples near the view in px, unit vectors across the line there, and where they lie among vertices."""
        line_V2 = (self.line_V2 - [view.x_mm, view.y_mm]) / view.pitch_mm
        length_V = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line_V2, axis=0).T))])
        at_P = np.linspace(0, length_V[-1], int(np.ceil(length_V[-1] / _STEP_PX)) + 1)
        along_P = np.interp(at_P, length_V, np.arange(len(line_V2)))
        smooth = CubicSpline(np.arange(len(line_V2)), line_V2)
        line_P2 = smooth(along_P)
        size = np.array([view.width_px, view.height_px])
        near_P = np.all((line_P2 > -reach_px) & (line_P2 < size + reach_px), axis=1)
        tangent_P2 = smooth(along_P[near_P], 1)
        tangent_P2 /= np.maximum(np.hypot(tangent_P2[:, :1], tangent_P2[:, 1:]), 1e-9)
        return line_P2[near_P], np.stack([-tangent_P2[:, 1], tangent_P2[:, 0]], axis=1), along_P[near_P]

    def _across(self, across_N: Line, view: View) -> Line:
        width_px = self.width_mm / view.pitch_mm
        level_N = np.zeros_like(across_N)
        for offset, share, height in self.tracks:
            sigma_px = np.hypot(share * width_px / 2.355, view.blur_px)
            level_N += height * np.exp(-((across_N - offset * width_px) ** 2) / (2 * sigma_px**2))
        return level_N


def _pixels_near(line_P2: Line, normal_P2: Line, reach_px: float, view: View) -> Index:
    """Return every pixel of the view within reach of the line or its ends, each once, in order."""
    offsets_px = np.arange(-np.ceil(reach_px), np.ceil(reach_px) + _STEP_PX, _STEP_PX)
    spine_P2 = line_P2
    if len(line_P2):  # straight on beyond the ends, by as much as the line reaches to its sides
        tangents = normal_P2[[0, -1]][:, ::-1] * [1, -1]
        beyond = [end + offsets_px[:, None] * tangent for end, tangent in zip(line_P2[[0, -1]], tangents, strict=True)]
        spine_P2 = np.concatenate([line_P2, *beyond])
        normal_P2 = np.concatenate([normal_P2, *(np.repeat(normal_P2[[end]], len(offsets_px), 0) for end in (0, -1))])
    place = np.rint(spine_P2[:, None] + offsets_px[None, :, None] * normal_P2[:, None]).astype(np.int64)
    column, row = place[..., 0].ravel(), place[..., 1].ravel()
    inside = (column >= 0) & (column < view.width_px) & (row >= 0) & (row < view.height_px)
    return np.unique(row[inside] * view.width_px + column[inside])

"""From a score map to scratches: two thresholds, DBSCAN in between, and what an engineer wants to know of each.

Source: Turko 2021, section 5.5. Its constants are in px of 11.4 um; they are kept in um, so that they survive another
pitch.
Shapes: h x w pixels of the score map (q px of the zone each), N of them over the low threshold, C cells of a
few of these.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from glassline.settings import Settings
from glassline.vision.tiles import ZoneScores

Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

# Neighbourhoods take memory with the square of what is over the threshold. Scratches fill few cells; where there are
# more than this (saturated, out of focus, another rig than the network's) groups of so many by so many stand in.
_MOST_CELLS = 3000
_GROUP = 4
# Three quarters of what a row of cells has on both sides.
_LINE_SHARE = 1.5
# Steps along a scratch, as a share of what is near: the way has few neighbours to choose from, and bridges every gap.
_STEP_SHARE = 0.25


class FindSettings(Settings):
    """Which pixels of a score map are a scratch."""

    low: float = Field(0.25, gt=0, lt=1, description="score that a pixel needs")
    high: float = Field(0.75, gt=0, le=1, description="score that a scratch needs somewhere")
    coarse_um: float = Field(91.2, gt=0, le=1e4, description="edge of the cells that are clustered: 8 px")
    near_um: float = Field(2280.0, gt=0, le=1e5, description="distance within which cells are neighbours: 25 of them")
    least_points: int = Field(
        16, ge=1, description="neighbours, itself included, that make a cell a cluster's core; of cells of coarse_um"
    )

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low must be <= high {self.high:g}, got {self.low:g}; lower it")
        return self

    @model_validator(mode="after")
    def _straight_line_is_a_cluster(self) -> Self:
        """Refuse clusters that a scratch along a row of cells cannot make: it would pass as good.

        On both sides of a cell such a row has near_um / coarse_um neighbours; a quarter is left for cells that do not
        divide the pitch and for the line's step from one row to the next.
        """
        most = math.floor(_LINE_SHARE * self.near_um / self.coarse_um)
        if self.least_points > max(most, 1):
            raise ValueError(
                f"least_points must be at most {max(most, 1)}, {_LINE_SHARE:g} near_um / coarse_um, so that a straight "
                f"scratch is one, got {self.least_points}; lower it or raise near_um"
            )
        return self

    @model_validator(mode="after")
    def _near_reaches_the_next_cell(self) -> Self:
        if self.near_um < self.coarse_um:
            raise ValueError(f"near_um must be >= coarse_um {self.coarse_um:g}, got {self.near_um:g}; raise it")
        return self


@dataclass(frozen=True)
class Scratch:
    """One scratch in a zone.

    Attributes:
        bbox_px: x, y, width, height in px of the zone.
        peak: Highest score, 0 to 1.
        length_um: Of the shortest way between its far ends along its pixels, gaps bridged.
        width_um: Area over length.
        area_um2: Of the pixels over the low threshold.
        contrast_sigma: Mean over its pixels of the brightest light state above the background, in sigmas of the noise.
        direction_deg: Of its long axis, from x towards y (down), 0 to 180.
    """

    bbox_px: tuple[int, int, int, int]
    peak: float
    length_um: float
    width_um: float
    area_um2: float
    contrast_sigma: float
    direction_deg: float


def find_scratches(scores: ZoneScores, settings: FindSettings) -> list[Scratch]:
    """Return the scratches of a zone, the likeliest first.

    Pixels over the low threshold are gathered in cells; DBSCAN joins the cells, and drops lone ones; clusters without
    a pixel over the high threshold are dropped. A zone that is over the threshold everywhere is one scratch as large
    as itself.

    Args:
        scores: What a network says of the zone.
        settings: Thresholds and what is near.
    """
    found = [_measure(*pixels, scores, settings) for pixels in _clusters(scores, settings)]
    return sorted(found, key=lambda scratch: (-scratch.peak, scratch.bbox_px))


def scratch_mask(scores: ZoneScores, settings: FindSettings) -> Mask:
    """Return where the scratches that `find_scratches` returns lie (h, w)."""
    mask_hw = np.zeros(scores.score_hw.shape, np.bool_)
    for row_N, column_N in _clusters(scores, settings):
        mask_hw[row_N, column_N] = True
    return mask_hw


def _clusters(scores: ZoneScores, settings: FindSettings) -> list[tuple[Numbers, Numbers]]:
    """Return rows and columns of the pixels of each cluster that reaches the high threshold."""
    row_N, column_N = np.nonzero(scores.score_hw >= settings.low)
    if not len(row_N):
        return []
    label_N = _join(row_N, column_N, scores.block_px * scores.pitch_um, settings)
    order = np.argsort(label_N, kind="stable")
    parts = np.split(order, np.searchsorted(label_N[order], np.arange(label_N.max() + 2)))[1:-1]
    peaks = [scores.score_hw[row_N[part], column_N[part]].max() for part in parts]
    return [(row_N[part], column_N[part]) for part, peak in zip(parts, peaks, strict=True) if peak >= settings.high]


def _join(row_N: Numbers, column_N: Numbers, pixel_um: float, settings: FindSettings) -> Numbers:
    """Return each pixel's cluster, -1 where it is none's.

    A cell weighs as its edge: seen at another pitch, where cells are a little larger, a scratch weighs the same.
    Of too many cells, groups weigh as all of theirs together, and `near_um` is kept to within a group's edge.
    """
    from sklearn.cluster import DBSCAN

    edge = max(1, round(settings.coarse_um / pixel_um))
    cell_N, centre_C2 = _cells(row_N, column_N, edge)
    weight_C = np.full(len(centre_C2), edge * pixel_um / settings.coarse_um)
    group_C = np.arange(len(centre_C2))
    if len(centre_C2) > _MOST_CELLS:
        rows_C, columns_C = (centre_C2 // edge).astype(np.intp).T
        group_C, _ = _cells(rows_C, columns_C, _GROUP)
        weight_C = np.bincount(group_C, weights=weight_C)
        centre_C2 = np.stack([np.bincount(group_C, weights=at_C) for at_C in centre_C2.T], axis=1)
        centre_C2 /= np.bincount(group_C)[:, None]
    joined = DBSCAN(eps=settings.near_um, min_samples=settings.least_points)
    label_C: Numbers = joined.fit(centre_C2 * pixel_um, sample_weight=weight_C).labels_
    return label_C[group_C][cell_N]


def _cells(row_N: Numbers, column_N: Numbers, edge: int) -> tuple[Numbers, Points]:
    """Return the cell of each pixel, and the mean row and column of each cell's pixels (C, 2)."""
    across = int(column_N.max()) // edge + 1
    cell_N = np.unique(row_N // edge * across + column_N // edge, return_inverse=True)[1]
    sums = [np.bincount(cell_N, weights=at_N) for at_N in (row_N, column_N)]
    return cell_N, np.stack(sums, axis=1) / np.bincount(cell_N)[:, None]


def _measure(row_N: Numbers, column_N: Numbers, scores: ZoneScores, settings: FindSettings) -> Scratch:
    """Return what an engineer wants to know of a cluster."""
    block_px, pixel_um = scores.block_px, scores.block_px * scores.pitch_um
    top, left = int(row_N.min()), int(column_N.min())
    height, width = int(row_N.max()) + 1 - top, int(column_N.max()) + 1 - left
    length_um = _way_px(row_N, column_N, settings.near_um / pixel_um) * pixel_um
    area_um2 = len(row_N) * pixel_um**2
    return Scratch(
        bbox_px=(left * block_px, top * block_px, width * block_px, height * block_px),
        peak=float(scores.score_hw[row_N, column_N].max()),
        length_um=length_um, width_um=area_um2 / length_um, area_um2=area_um2,
        contrast_sigma=float(scores.strength_hw[row_N, column_N].mean()),
        direction_deg=_direction_deg(row_N, column_N),
    )  # fmt: skip


def _way_px(row_N: Numbers, column_N: Numbers, near_px: float) -> float:
    """Return the shortest way between a cluster's far ends, in pixels of the map.

    It leads from middle to middle of cells and straight over gaps, so that a staircase of pixels is no longer than its
    line; a curve loses what chords lose. The end cells add what lies beyond their middle.
    """
    from scipy.sparse.csgraph import dijkstra
    from sklearn.neighbors import radius_neighbors_graph

    edge = max(1, round(_STEP_SHARE * near_px))
    cell_N, centre_C2 = _cells(row_N, column_N, edge)
    # Pixels that are near lie in cells whose middles are near within a diagonal of each.
    near_CC = radius_neighbors_graph(centre_C2, near_px + 2 * 1.42 * edge, mode="distance")
    first = int(dijkstra(near_CC, indices=0).argmax())
    way_C = dijkstra(near_CC, indices=first)
    last = int(way_C.argmax())
    beyond_px = sum(
        np.hypot(row_N - centre_C2[end, 0], column_N - centre_C2[end, 1])[cell_N == end].max() for end in (first, last)
    )
    return float(way_C[last] + beyond_px + 1)


def _direction_deg(row_N: Numbers, column_N: Numbers) -> float:
    at_N2 = np.stack([row_N, column_N], axis=1).astype(np.float64)
    at_N2 -= at_N2.mean(axis=0)
    down, across = np.linalg.eigh(at_N2.T @ at_N2)[1][:, 1]
    return float(np.degrees(np.arctan2(down, across)) % 180)

"""A glass seen from one place: its marks as pixels of the view, and their light under each LED group.

Shapes: N pixels of all marks, one after the other; M different pixels among them; H x W pixels of the view.
"""

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np

from hardware_ingest.dark_field.glass import Glass
from hardware_ingest.dark_field.light import GROUPS_DEG, Ground, Ring
from hardware_ingest.dark_field.scatter import Drawn, Mark, Real, View

# Ring and glare are smooth: they are computed on a grid this coarse.
_COARSE_PX = 8


class Place:
    """What a view of a glass shows, without noise."""

    def __init__(self, glass: Glass, view: View, ring: Ring, ground: Ground) -> None:
        """Draw the marks that reach into a view."""
        self.view = view
        self._ring, self._ground = ring, ground
        seen = [(mark, mark.shape.draw(view)) for mark in glass.marks if view.sees(mark.shape.bounds_mm)]
        #: Marks with at least one pixel in the view, and those pixels.
        self.seen: list[tuple[Mark, Drawn]] = [(mark, drawn) for mark, drawn in seen if len(drawn.index_N)]
        self._of_group: dict[int, Real] = {}

    def rate(self, groups: Sequence[int], stray_rate: float) -> Real:
        """Return the light on each pixel (H, W), DN/ms, under any set of LED groups."""
        height, width = self.view.height_px, self.view.width_px
        if not groups:
            return np.full((height, width), stray_rate, np.float32)
        coarse_HW = np.stack([self._coarse(group) for group in groups]).sum(axis=0) + np.float32(stray_rate)
        fine_HW = cv2.resize(coarse_HW, (width, height), interpolation=cv2.INTER_LINEAR)
        rate_HW = np.ascontiguousarray(fine_HW.reshape(height, width), np.float32)
        if self.seen:
            rate_HW.ravel()[self._different[0]] += np.sum([self._marks(group) for group in groups], axis=0)
        return rate_HW

    def added(self, mark: Mark, drawn: Drawn, groups: Sequence[int]) -> Real:
        """Return what one of the marks seen adds to its pixels (N,), DN/ms, under any set of LED groups."""
        row_N, column_N = np.divmod(drawn.index_N, self.view.width_px)
        parts = [_scattered(mark, drawn, group) * self._ring.at(group, column_N, row_N) for group in groups]
        return np.asarray(np.sum(parts, axis=0), np.float32)

    def _coarse(self, group: int) -> Real:
        height, width = self.view.height_px, self.view.width_px
        rows, columns = -(-height // _COARSE_PX), -(-width // _COARSE_PX)
        row_H = ((np.arange(rows) + 0.5) * height / rows - 0.5).astype(np.float32)
        column_W = ((np.arange(columns) + 0.5) * width / columns - 0.5).astype(np.float32)
        ground_HW = self._ground.rate(group, self.view, column_W, row_H)
        return np.asarray(ground_HW * self._ring.at(group, column_W[None], row_H[:, None]), np.float32)

    def _marks(self, group: int) -> Real:
        """Return what all marks add to their pixels under one group, DN/ms."""
        if group not in self._of_group:
            parts = [_scattered(mark, drawn, group) for mark, drawn in self.seen]
            index_M, inverse_N = self._different
            total_M = np.bincount(inverse_N, np.concatenate(parts), len(index_M)).astype(np.float32)
            width = self.view.width_px
            lit_M = self._ring.at(group, index_M % width, index_M // width)
            self._of_group[group] = np.asarray(total_M * lit_M, np.float32)
        return self._of_group[group]

    @cached_property
    def _different(self) -> tuple[np.ndarray, np.ndarray]:
        """Return every pixel that a mark touches once, and where each mark's pixels are among them."""
        return np.unique(np.concatenate([drawn.index_N for _, drawn in self.seen]), return_inverse=True)


def _scattered(mark: Mark, drawn: Drawn, group: int) -> Real:
    """Return how a mark's pixels (N,) answer to one group, DN/ms before the ring's unevenness."""
    away_N = np.rint(GROUPS_DEG[group] - drawn.normal_deg_N).astype(np.int16) % 360
    return np.asarray(np.float32(mark.rate) * drawn.level_N * mark.lobe[away_N], np.float32)

"""Heat of an image of any size from a classifier of windows, and boxes around what is hot.

Source: system D of the reading, section 3.3: patches are classified, their probabilities make a heat map, and
binarisation highlights the defect. Left open by it, our reading: the heat of a pixel is the mean over the windows that
cover it, weighted by a triangle that is highest in a window's middle along both axes.
Shapes: H x W pixels of the image, R x C windows, B windows of a batch, h x h parts that a window is told in (1 x 1 for
a probability, more for a class activation map).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from scipy import sparse

from glassline.errors import ModelError
from glassline.settings import Settings
from glassline.vision.cell_tiles import Image, ReadWindow
from glassline.vision.defects import DefectSettings, JoinSettings, find_defects
from glassline.vision.windows import STEP_PX, WINDOW_PX, as_patch, window_part, window_starts

Real = npt.NDArray[np.float32]
Places = npt.NDArray[np.integer]
#: Tell of windows (B, 112, 112), uint8, how defective each is: (B,), or (B, h, h) part by part.
Classify = Callable[[Image], Real]

# A quarter of a step: heat between the middles of two cells is all but linear.
_CELLS_PER_STEP = 4


class HeatSettings(Settings):
    """How windows are laid over an image."""

    window_px: int = Field(WINDOW_PX, ge=16, le=4096, description="edge of a window in the image, as in training, px")
    step_px: int = Field(STEP_PX, ge=1, le=4096, description="step from a window to its neighbour, px")
    batch: int = Field(64, ge=1, le=4096, description="windows classified at once")

    @model_validator(mode="after")
    def _covered(self) -> Self:
        if self.step_px > self.window_px:
            raise ValueError(
                f"step_px must be <= window_px, {self.window_px}, or pixels between windows have no heat, got "
                f"{self.step_px}; lower it"
            )
        return self


class LocaliseSettings(JoinSettings):
    """How defects are localised by a classifier of windows."""

    step_px: int = Field(STEP_PX // 2, ge=1, le=4096, description="step from a window to its neighbour, px")
    batch: int = Field(64, ge=1, le=4096, description="windows classified at once")

    def laid(self, window_px: int) -> HeatSettings:
        """Return how windows of an edge are laid over an image.

        Raises:
            SettingsError: The step is wider than the window.
        """
        return HeatSettings.parse({"window_px": window_px, "step_px": self.step_px, "batch": self.batch})


@dataclass(frozen=True)
class HeatMap:
    """Heat of an image, kept by window: at pixels it is worked out where it is asked for.

    Attributes:
        value_NM: What is told of the windows, N = R * h parts down, M = C * h across.
        size_px: Height and width of the image.
        settings: How windows are laid.
    """

    value_NM: Real
    size_px: tuple[int, int]
    settings: HeatSettings

    def at(self, row_A: Places, column_B: Places) -> Real:
        """Return the heat (A, B) at pixels of some rows and columns of the image, in the units of `value_NM`."""
        down = _shares(row_A, self.size_px[0], self.value_NM.shape[0], self.settings)
        across = _shares(column_B, self.size_px[1], self.value_NM.shape[1], self.settings)
        # Sparse products add up each row by itself, in one order: a part has the very numbers of the whole.
        return np.asarray((across @ (down @ self.value_NM.astype(np.float64)).T).T, np.float32)

    @property
    def cell_px(self) -> int:
        """Edge of the cells that boxes are made of."""
        return max(1, self.settings.step_px // _CELLS_PER_STEP)

    @cached_property
    def cells_RC(self) -> Real:
        """Heat in the middle of each cell; cells of the last row and column may reach beyond the image."""
        return self.at(*(middles(size, self.cell_px) for size in self.size_px))


@dataclass(frozen=True)
class Box:
    """A place that is hot.

    Attributes:
        bbox_px: x, y, width, height in px, within the image.
        probability_max: Highest heat in it.
        probability_mean: Mean over what is hot in it.
        area_px: Area of what is hot in it.
    """

    bbox_px: tuple[int, int, int, int]
    probability_max: float
    probability_mean: float
    area_px: int


def middles(size_px: int, cell_px: int) -> Places:
    """Return the pixel in the middle of each cell along one axis, of the last one within the image."""
    return np.minimum(np.arange(0, size_px, cell_px) + cell_px // 2, size_px - 1)


def heat_map(read: ReadWindow, size_px: tuple[int, int], classify: Classify, settings: HeatSettings) -> HeatMap:
    """Classify windows over an image, in the memory of one batch and of a number per window.

    Args:
        read: Reads a window of the image in grey.
        size_px: Height and width of the image; one smaller than a window is filled up by reflection.
        classify: Classifier of windows.
        settings: How windows are laid.

    Raises:
        ModelError: The classifier told something that is no number.
    """
    rows, columns = (window_starts(size, settings.window_px, settings.step_px) for size in size_px)
    corners, told = [(x, y) for y in rows for x in columns], []
    for start in range(0, len(corners), settings.batch):
        batch = corners[start : start + settings.batch]
        parts = (read(window_part(corner, settings.window_px, size_px)) for corner in batch)
        told.append(classify(np.stack([as_patch(part, settings.window_px) for part in parts])))
    value = np.concatenate(told).astype(np.float32)
    if not np.isfinite(value).all():
        raise ModelError("a classifier must tell numbers of windows, got others; train it again")
    parts_h = value.shape[1] if value.ndim == 3 else 1
    value_RChh = value.reshape(len(rows), len(columns), parts_h, parts_h)
    value_NM = value_RChh.transpose(0, 2, 1, 3).reshape(len(rows) * parts_h, len(columns) * parts_h)
    return HeatMap(np.ascontiguousarray(value_NM), size_px, settings)


def boxes(heat: HeatMap, threshold: float, settings: JoinSettings) -> list[Box]:
    """Return boxes around what is at least as hot as a threshold, the hottest first.

    Args:
        heat: Heat of an image.
        threshold: Heat from which a cell is hot, > 0.
        settings: Which hot cells are one, and the area that a box needs.
    """
    find = DefectSettings(threshold=threshold, join_px=settings.join_px, least_px=settings.least_px)
    return [
        Box(hot.bbox_px, hot.severity_max, hot.severity_mean, hot.area_px)
        for hot in find_defects(heat.cells_RC, heat.cell_px, heat.size_px, find)
    ]


def _shares(place_A: Places, size_px: int, parts: int, settings: HeatSettings) -> sparse.csr_array:
    """Return how much of the heat at each pixel of one axis comes from each part of each window (A, N); rows sum to 1.

    Between the middles of a window's parts heat is interpolated linearly.
    """
    starts, window_px = window_starts(size_px, settings.window_px, settings.step_px), settings.window_px
    parts_h = parts // len(starts)
    found: list[tuple[npt.NDArray[np.float64], Places, Places]] = []
    for number, start in enumerate(starts):
        inside_a = np.flatnonzero((place_A >= start) & (place_A < start + window_px))
        within_a = place_A[inside_a] - start + 0.5
        weight_a = np.minimum(within_a, window_px - within_a)
        part_a = np.clip(within_a / window_px * parts_h - 0.5, 0, parts_h - 1)
        lower_a = np.minimum(part_a.astype(np.int64), max(parts_h - 2, 0))
        for step in range(min(parts_h, 2)):
            share_a = weight_a * (1 - np.abs(part_a - lower_a - step))
            found.append((share_a, inside_a, number * parts_h + lower_a + step))
    weight_n, row_n, column_n = (np.concatenate(one) for one in zip(*found, strict=True))
    total_A = np.bincount(row_n, weight_n, len(place_A))
    shape = len(place_A), parts
    return sparse.csr_array((weight_n / total_A[row_n], (row_n, column_n)), shape=shape)

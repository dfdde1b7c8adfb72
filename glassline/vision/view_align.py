"""Images of a view brought to the same place, where they have a structure in common that tells where they are.

Shapes: K images, H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.light_states import Real
from glassline.vision.median_gradients import gradients
from glassline.vision.shift import phase_correlation, shift_at
from glassline.vision.window_strength import ImageRows

# Longest side of what shifts are measured on.
_LONGEST_PX = 1536
# How far a stage may come back beside its place, and how much its peak must stand above all others.
_FURTHEST_PX, _RIVAL = 16, 2.0
# Share of images that must tell where they are, or none is moved.
_SURE, _ROUNDS = 0.9, 3
# Images, spread over all, that say whether there is a common structure.
_HEAD = 24


@dataclass(frozen=True)
class AlignedImages:
    """Images of a view, each moved by whole pixels; what lies beyond its border repeats it.

    Attributes:
        images: The view.
        shifts_px: How far the content of each image lies to the right and down.
    """

    images: ImageRows
    shifts_px: Sequence[tuple[int, int]]

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of every image."""
        return self.images.size_px

    @property
    def highest(self) -> int:
        """Highest grey level of any image, or more."""
        return self.images.highest

    def rows(self, number: int, top: int, bottom: int) -> npt.NDArray[Any]:
        """Return rows [top, bottom) of an image, moved."""
        height, width = self.size_px
        right, down = self.shifts_px[number]
        first, last = (min(max(row + down, 0), height - 1) for row in (top, bottom - 1))
        read_HW = self.images.rows(number, first, last + 1)
        rows = np.clip(np.arange(top, bottom) + down, 0, height - 1) - first
        columns = np.clip(np.arange(width) + right, 0, width - 1)
        return read_HW[rows][:, columns] if (right, down) != (0, 0) else read_HW


@dataclass(frozen=True)
class Structure:
    """Outlines that the images of a view share, at a smaller scale.

    Attributes:
        outlines_hw: Mean magnitude of gradients.
        scale: Pixels of the view per pixel of it.
    """

    outlines_hw: Real
    scale: float


def align(images: ImageRows, total: int, onto: Structure | None = None) -> tuple[ImageRows, Structure | None]:
    """Return the images at the same place, and what was seen of it; images without a common structure stay.

    A shift is believed when its peak stands out of all that are too far to be true. Textures of independent images
    have nothing in common, and their shifts nothing to say.

    Args:
        images: The view.
        total: Number of its images.
        onto: Structure of another view of the same place; None takes the middle of all.
    """
    scale = max(max(images.size_px) / _LONGEST_PX, 1.0)
    head = np.linspace(0, total - 1, min(total, _HEAD)).round().astype(int).tolist()
    structure = _structure([_outlines(images, number, scale) for number in head], scale, onto)
    if structure is None:
        return images, None
    told = [_shift(structure.outlines_hw, _outlines(images, number, scale), scale) for number in range(total)]
    whole = [(round(one[0]), round(one[1])) if one else (0, 0) for one in told]
    return (AlignedImages(images, whole) if any(one != (0, 0) for one in whole) else images), structure


def _structure(outlines_Khw: list[Real], scale: float, onto: Structure | None) -> Structure | None:
    """Return what some images share, None where too few of them tell where they are."""
    total = len(outlines_Khw)
    shifts_K2 = np.zeros((total, 2))
    # Unmoved, the mean of all is blurred: from the second round on it is as sharp as an image.
    for _ in range(1 if onto else _ROUNDS):
        moved = [_rolled(one_hw, shift, scale) for one_hw, shift in zip(outlines_Khw, shifts_K2, strict=True)]
        sum_hw = np.sum(moved, axis=0)
        against = [onto.outlines_hw if onto else (sum_hw - one_hw) / (total - 1) for one_hw in moved]
        told = [_shift(first_hw, one_hw, scale) for first_hw, one_hw in zip(against, outlines_Khw, strict=True)]
        if sum(one is not None for one in told) < _SURE * total:
            return None
        if onto is not None:
            return onto
        shifts_K2 = np.array([one or (0.0, 0.0) for one in told])
        shifts_K2 -= np.median(shifts_K2, axis=0)
    back = [_rolled(one_hw, shift, scale) for one_hw, shift in zip(outlines_Khw, shifts_K2, strict=True)]
    return Structure(np.asarray(np.mean(back, axis=0), np.float32), scale)


def _rolled(outlines_hw: Real, shift: npt.NDArray[np.float64], scale: float) -> Real:
    x, y = np.rint(shift / scale).astype(int)
    return np.asarray(np.roll(outlines_hw, (-y, -x), (0, 1)), np.float32)


def _outlines(images: ImageRows, number: int, scale: float) -> Real:
    height, width = images.size_px
    size = round(width / scale), round(height / scale)
    grey_HW = images.rows(number, 0, height)
    small_hw = cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA) if scale > 1 else grey_HW
    x_hw, y_hw = gradients(small_hw, np.int32)
    return np.hypot(x_hw.astype(np.float32), y_hw.astype(np.float32))


def _shift(first_hw: Real, second_hw: Real, scale: float) -> tuple[float, float] | None:
    """Return how far the second lies to the right and down of the first, None where nothing tells."""
    surface_hw = phase_correlation(first_hw, second_hw)
    middle_y, middle_x = (size // 2 for size in surface_hw.shape)
    reach = int(np.ceil(_FURTHEST_PX / scale))
    top, left = max(middle_y - reach, 0), max(middle_x - reach, 0)
    near_hw = surface_hw[top : middle_y + reach + 1, left : middle_x + reach + 1]
    y, x = np.unravel_index(int(near_hw.argmax()), near_hw.shape)
    far_hw = surface_hw.copy()
    far_hw[max(middle_y - 2 * reach, 0) : middle_y + 2 * reach + 1,
           max(middle_x - 2 * reach, 0) : middle_x + 2 * reach + 1] = 0  # fmt: skip
    if near_hw.max() <= max(_RIVAL * far_hw.max(), 0.0):  # blank images have no peak at all
        return None
    found = shift_at(surface_hw, top + int(y), left + int(x))
    return found.x_px * scale, found.y_px * scale

"""Strength of repeating marks over one window of images, tile by tile, and the threshold that it must pass.

Shapes: K images, R the map and its replicas, H x W pixels.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from glassline.vision.clipped_means import balanced_signs, clipped_means
from glassline.vision.mark_filters import REACH_PX
from glassline.vision.mark_strength import BLOCK_PX, NOISE_PX, strength_maps
from glassline.vision.repeat_threshold import SQUARE_PX, Tail, fit_tail, square_maxima

Real = npt.NDArray[np.float32]

#: Edge of a tile without its rim; a rim on every side lets filters see beyond it.
TILE_PX = 8 * SQUARE_PX
_RIM_PX = -(-(REACH_PX + NOISE_PX) // SQUARE_PX) * SQUARE_PX
# Half precision ends at 65504.
_STRONGEST = np.float32(60000)
# Clean squares that the threshold is taken from.
_SQUARES = 1200
_REPLICAS = (4, 64)


class ImageRows(Protocol):
    """Images of one view, read by bands of rows."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of every image."""
        ...

    @property
    def highest(self) -> int:
        """Highest grey level of any image, or more."""
        ...

    def rows(self, number: int, top: int, bottom: int) -> npt.NDArray[Any]:
        """Return rows [top, bottom) of an image in grey levels (rows, W), uint8 or uint16."""
        ...


@dataclass(frozen=True)
class Reference:
    """Good images of the same view.

    Attributes:
        images: The view.
        numbers: Which of its images are looked at.
    """

    images: ImageRows
    numbers: tuple[int, ...]

    @property
    def sources(self) -> list[tuple[ImageRows, int]]:
        """Each image by its view and number."""
        return [(self.images, number) for number in self.numbers]


@dataclass(frozen=True)
class WindowStrength:
    """What a window of images shows.

    Attributes:
        strength_HW: Strength of the likeliest repeating mark at each place, in sigmas; half precision.
        tail: How strong the strongest place of a clean square is.
        squares: Number of squares that the image holds.
        clean_N: The strongest places of clean squares, of this window and of those before it.
    """

    strength_HW: npt.NDArray[np.float16]
    tail: Tail
    squares: float
    clean_N: Real


def window_strength(
    images: ImageRows, numbers: Sequence[int], seed: int, reference: "Reference | None" = None,
    clean_N: Real | None = None,
) -> WindowStrength:  # fmt: skip
    """Look for what the images of a window share.

    Args:
        images: The view.
        numbers: Which of its images are in the window.
        seed: Of the draw which images the replicas turn.
        reference: Good images: what they share too is no mark.
        clean_N: The strongest places of clean squares that windows before it told: then few replicas do.
    """
    height, width = images.size_px
    squares = max(height * width / SQUARE_PX**2, 1.0)
    known_N = np.empty(0, np.float32) if clean_N is None else clean_N[-_SQUARES:]
    replicas = int(np.clip(round((_SQUARES - len(known_N)) / squares), *_REPLICAS))
    sources = [(images, number) for number in numbers] + (reference.sources if reference else [])
    signs_RK = balanced_signs(len(numbers), replicas, seed, len(sources) - len(numbers))
    strength_HW = np.zeros((height, width), np.float16)
    maxima: list[Real] = [known_N]
    tops, lefts = (_starts(size) for size in (height, width))

    def look(left: int) -> Real:
        right = _stop(left, width)
        first, last = max(left - _RIM_PX, 0), min(right + _RIM_PX, width)
        grey = [band_HW[:, first : last + 1] for band_HW in bands]
        found_HW, strongest_Rhw = strength_maps(clipped_means(grey, signs_RK, (bottom_seen - top_seen, last - first)))
        inner_HW = found_HW[top - top_seen : bottom - top_seen, left - first : right - first]
        strength_HW[top:bottom, left:right] = np.minimum(inner_HW, _STRONGEST)
        rows, columns = (
            slice((start - seen) // BLOCK_PX, -(-(stop - seen) // BLOCK_PX))
            for start, stop, seen in ((top, bottom, top_seen), (left, right, first))
        )
        return square_maxima(strongest_Rhw[:, rows, columns], SQUARE_PX // BLOCK_PX)

    # Tiles run beside one another: threads of its own would only make the matrix product wait.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(os.cpu_count() or 1, len(lefts), 4)) as pool:
        for top in tops:
            bottom = _stop(top, height)
            top_seen, bottom_seen = max(top - _RIM_PX, 0), min(bottom + _RIM_PX, height)
            bands = [of.rows(number, top_seen, min(bottom_seen + 1, height)) for of, number in sources]
            maxima += pool.map(look, lefts)
    told_N = np.concatenate(maxima)
    return WindowStrength(strength_HW, fit_tail(told_N), squares, told_N)


def _starts(size_px: int) -> list[int]:
    """Return where tiles start; what is left after the last whole one belongs to it."""
    return [index * TILE_PX for index in range(max(size_px // TILE_PX, 1))]


def _stop(start: int, size_px: int) -> int:
    return size_px if start + 2 * TILE_PX > size_px else start + TILE_PX

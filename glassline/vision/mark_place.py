"""Gradients of some images at one place of their view.

Shapes: K images, h x w pixels of the place.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from glassline.vision.median_gradients import Levels, gradient_type, gradients, median
from glassline.vision.window_strength import ImageRows, Reference

Real = npt.NDArray[np.float32]

#: Rows and columns of a view.
Place = tuple[slice, ...]


def read_gradients(images: ImageRows, numbers: Sequence[int], place: Place) -> Levels:
    """Return the gradients (K, 2, h, w) of some images at a place."""
    height, width = images.size_px
    rows, columns = place
    bottom, right = min(rows.stop + 1, height), min(columns.stop + 1, width)
    shape = rows.stop - rows.start, columns.stop - columns.start
    dtype = gradient_type(images.highest)
    read_K2hw = np.empty((len(numbers), 2, *shape), dtype)
    for index, number in enumerate(numbers):
        part_hw = images.rows(number, rows.start, bottom)[:, columns.start : right]
        read_K2hw[index] = np.stack(gradients(part_hw, dtype))[:, : shape[0], : shape[1]]
    return read_K2hw


def good_gradients(reference: Reference | None, place: Place, like_K2hw: Levels) -> Levels:
    """Return the gradients of the good images at a place, of none when there is no reference."""
    if reference is None:
        return like_K2hw[:0]
    return read_gradients(reference.images, reference.numbers, place)


def medians(gradients_K2hw: Levels) -> Real:
    """Return the median gradients (2, h, w); 0 of no image."""
    if not len(gradients_K2hw):
        return np.zeros(gradients_K2hw.shape[1:], np.float32)
    return np.stack([median(gradients_K2hw[:, axis]) for axis in (0, 1)])


def padded(place: Place, size_px: tuple[int, int], by_px: int) -> Place:
    """Return a place with a rim, as far as images of this size (H, W) reach."""
    return tuple(
        slice(max(part.start - by_px, 0), min(part.stop + by_px, size))
        for part, size in zip(place, size_px, strict=True)
    )


def within(place: Place, outer: Place) -> Place:
    """Return a place as seen from another that holds it."""
    return tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(place, outer, strict=True))

"""Gradients of an image, and their median over a window of images of the same view.

Source: Yu et al. 2020 (system D of the reading), section 3.4, equation 1. The median is that of Batcher's odd-even
merge sorting network (1968), cut down to the comparators that the middle depends on: on blocks that stay in the
processor's cache it takes a few operations per value, where a sort per pixel takes hundreds.
Shapes: K images, H x W pixels, N pixels in a row.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[Any]
Real = npt.NDArray[np.float32]

# Values of a block: 30 images of 16 bit then fill half of a second-level cache of 1 MiB.
_BLOCK_VALUES = 2**18


def gradient_type(highest: int) -> type[np.signedinteger[Any]]:
    """Return what holds differences of grey levels 0 to `highest`: int16 as far as it reaches, else int32."""
    return np.int16 if highest <= np.iinfo(np.int16).max else np.int32


def gradients(grey_HW: Levels, dtype: type[np.signedinteger[Any]] = np.int16) -> tuple[Levels, Levels]:
    """Return the forward differences in x and y, in grey levels per px; 0 in the last column and row.

    Args:
        grey_HW: Grey levels of any unsigned depth.
        dtype: See `gradient_type`.
    """
    signed_HW = grey_HW.astype(dtype)
    x_HW, y_HW = np.zeros_like(signed_HW), np.zeros_like(signed_HW)
    np.subtract(signed_HW[:, 1:], signed_HW[:, :-1], out=x_HW[:, :-1])
    np.subtract(signed_HW[1:], signed_HW[:-1], out=y_HW[:-1])
    return x_HW, y_HW


def median(values_KHW: Levels) -> Real:
    """Return the median over the first axis, as `numpy.median`: of an even number the mean of the two middle ones.

    Args:
        values_KHW: Whole numbers; K at least 1.
    """
    count, *shape = values_KHW.shape
    steps, middle = _network(count)
    flat_KN = values_KHW.reshape(count, -1)
    found_N = np.empty(flat_KN.shape[1], np.float32)
    size = max(_BLOCK_VALUES // count, 1)
    spare_N = np.empty(min(size, flat_KN.shape[1]), flat_KN.dtype)
    for start in range(0, flat_KN.shape[1], size):
        rows = list(flat_KN[:, start : start + size].copy())
        spare = spare_N[: len(rows[0])]
        for low, high, needs_low, needs_high in steps:
            first, second = rows[low], rows[high]
            if needs_low and needs_high:
                np.minimum(first, second, out=spare)
                np.maximum(first, second, out=second)
                rows[low], spare = spare, first
            elif needs_low:
                np.minimum(first, second, out=first)
            else:
                np.maximum(first, second, out=second)
        total = sum(rows[place].astype(np.float64) for place in middle) / len(middle)
        found_N[start : start + size] = total
    return found_N.reshape(shape)


@cache
def _network(count: int) -> tuple[list[tuple[int, int, bool, bool]], tuple[int, ...]]:
    """Return comparators (low, high, whether each side is needed) and the places of the middle values."""
    middle = (count // 2,) if count % 2 else (count // 2 - 1, count // 2)
    needed, steps = set(middle), []
    for low, high in reversed(_sorting_network(count)):
        if low in needed or high in needed:
            steps.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    return steps[::-1], middle


def _sorting_network(count: int) -> list[tuple[int, int]]:
    """Return Batcher's comparators for any count: those of the next power of two that stay within it."""
    steps = []
    p = 1
    while p < count:
        k = p
        while k >= 1:
            for j in range(k % p, count - k, 2 * k):
                for i in range(min(k, count - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        steps.append((i + j, i + j + k))
            k //= 2
        p *= 2
    return steps

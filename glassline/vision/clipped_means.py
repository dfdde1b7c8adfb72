"""Robust mean of gradients over a window of images, and what it would be were nothing in common.

A gradient counts as much as it is high, but no more than the local mean of all gradients: what a single image shows
cannot outvote the others, and a mark below the noise, or on half of the images, still adds up.

Shapes: K images, 2 gradients in x and y, R the mean itself and its replicas, H x W pixels.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[Any]
Real = npt.NDArray[np.float32]

#: Edge of the square that noise is estimated in; shading is what changes over more than it.
AROUND_PX = 65

# A sensor's rounding alone gives differences of this many grey levels.
_LEAST_LEVELS = 0.25
# Values that stay in a second-level cache of 1 MiB.
_BLOCK_VALUES = 2**17


def balanced_signs(images: int, replicas: int, seed: int, reference: int = 0) -> Real:
    """Return signs (R, K): a first row of what is looked at, then replicas in which half of the images is turned.

    With as many images of either sign, what all images share cancels: a replica shows noise alone, with the same
    correlation in space, whether there is a mark or not. Of an odd number one image has no vote.

    Args:
        images: Images of the window.
        replicas: Number of draws.
        seed: Of the draws.
        reference: Good images that follow; their mean is taken from that of the window.
    """
    rng = np.random.default_rng(seed)
    rows = [np.concatenate([np.ones(images), np.full(reference, -images / max(reference, 1))])]
    for _ in range(replicas):
        rows.append(np.concatenate([_turned(images, rng), _turned(reference, rng) * images / max(reference, 1)]))
    return np.stack(rows).astype(np.float32)


def _turned(images: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    half = np.repeat([1.0, -1.0], images // 2) * np.sqrt(images / max(images // 2 * 2, 1))
    return rng.permutation(np.append(half, np.zeros(images % 2)))


def clipped_means(grey: Sequence[Levels], signs_RK: Real, size_px: tuple[int, int]) -> Real:
    """Return sums of clipped gradients under signs (R, 2, H, W), with the local mean, that is shading, taken out.

    Args:
        grey: Grey levels of the window's images, uint8 or uint16. A row or column more than asked for tells the
            differences of the last ones; without it they are 0.
        signs_RK: See `balanced_signs`.
        size_px: H and W.
    """
    scale_HW = local_scale(grey, size_px)
    sums_R2HW = np.zeros((len(signs_RK), 2, *size_px), np.float32)
    for axis, (first, second) in enumerate(_pairs(grey, size_px)):
        height, width = first[0].shape
        step = max(_BLOCK_VALUES // (len(grey) * width), 1)
        spare_KHW = np.empty((len(grey), min(step, height), width), np.float32)
        for top in range(0, height, step):
            rows = slice(top, min(top + step, height))
            clipped_KHW = spare_KHW[:, : rows.stop - top]
            for low_HW, high_HW, out_HW in zip(first, second, clipped_KHW, strict=True):
                cv2.subtract(high_HW[rows], low_HW[rows], dst=out_HW, dtype=cv2.CV_32F)
            part_HW = scale_HW[rows, :width]
            np.minimum(clipped_KHW, part_HW, out=clipped_KHW)
            np.maximum(clipped_KHW, -part_HW, out=clipped_KHW)
            summed_RN = signs_RK @ clipped_KHW.reshape(len(grey), -1)
            np.divide(summed_RN.reshape(-1, *part_HW.shape), part_HW, out=sums_R2HW[:, axis, rows, :width])
    for map_HW in sums_R2HW.reshape(-1, *size_px):
        map_HW -= _around(map_HW)
    return sums_R2HW


def local_scale(grey: Sequence[Levels], size_px: tuple[int, int]) -> Real:
    """Return the mean absolute gradient around each pixel (H, W), over all images, in grey levels."""
    total_HW = np.zeros(size_px, np.float32)
    for first, second in _pairs(grey, size_px):
        inner_HW = total_HW[: first[0].shape[0], : first[0].shape[1]]
        for low_HW, high_HW in zip(first, second, strict=True):
            cv2.accumulate(cv2.absdiff(low_HW, high_HW), inner_HW)
    mean_HW = _around(total_HW / np.float32(2 * len(grey)))
    return np.maximum(mean_HW, np.float32(_LEAST_LEVELS))


def _pairs(grey: Sequence[Levels], size_px: tuple[int, int]) -> Iterator[tuple[list[Levels], list[Levels]]]:
    """Yield what a difference in x, then in y, lies between: views of the images, as far as both sides reach."""
    height, width = size_px
    yield (
        [one_HW[:height, :width][:, : one_HW.shape[1] - 1] for one_HW in grey],
        [one_HW[:height, 1 : width + 1] for one_HW in grey],
    )
    yield (
        [one_HW[:height, :width][: one_HW.shape[0] - 1] for one_HW in grey],
        [one_HW[1 : height + 1, :width] for one_HW in grey],
    )


def _around(map_HW: Real) -> Real:
    return np.asarray(cv2.blur(map_HW, (AROUND_PX, AROUND_PX), borderType=cv2.BORDER_REFLECT), np.float32)

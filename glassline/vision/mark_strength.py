"""Strength of the likeliest mark at each place, in sigmas of the same filters on replicas that show noise alone.

Noise is told by blocks: of each replica and filter only its power and its highest value in every block are kept.
Shapes: R replicas, F filters, H x W pixels, h x w blocks.
"""

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.mark_filters import MARGINS_PX, MarkFilters

Real = npt.NDArray[np.float32]

#: Edge of a block.
BLOCK_PX = 16
#: Noise is the mean over so many blocks each way; it is known so far away from the border of what is seen.
_BLOCKS = 5
NOISE_PX = _BLOCKS // 2 * BLOCK_PX


def strength_maps(sums_R2HW: Real) -> tuple[Real, Real]:
    """Return the strength at each place (H, W), and the strongest of each block of each replica (R, h, w), in sigmas.

    A replica is compared with the noise of the others: its own would take something off each of its own peaks.

    Args:
        sums_R2HW: Gradients in x and y; the first is what is looked at, then two replicas or more.
    """
    count, _, height, width = sums_R2HW.shape
    filters = MarkFilters(height, width)
    told = [_blocks(filters, one_2HW) for one_2HW in sums_R2HW[1:]]
    power_RFhw, highest_RFhw = (np.stack([one[index] for one in told]) for index in (0, 1))
    total_Fhw = power_RFhw.sum(axis=0)
    pixels_Fhw = _pixels(height, width)
    strongest_Rhw = np.stack([
        (highest_Fhw * _inverse(total_Fhw - power_Fhw, pixels_Fhw * (count - 2))).max(axis=0)
        for power_Fhw, highest_Fhw in zip(power_RFhw, highest_RFhw, strict=True)
    ])  # fmt: skip
    inverse_Fhw = _inverse(total_Fhw, pixels_Fhw * (count - 1))
    strongest_HW, square_HW = np.zeros((2, *_whole(height, width)), np.float32)
    rows_hHW = strongest_HW.reshape(-1, BLOCK_PX, strongest_HW.shape[1])
    for filtered_HW, inverse_hw in zip(filters.each(sums_R2HW[0]), inverse_Fhw, strict=True):
        cv2.multiply(filtered_HW, filtered_HW, dst=square_HW[:height, :width])
        square_hHW = square_HW.reshape(rows_hHW.shape)
        square_hHW *= np.repeat(inverse_hw, BLOCK_PX, axis=1)[:, None]
        np.maximum(rows_hHW, square_hHW, out=rows_hHW)
    return np.sqrt(strongest_HW[:height, :width]), np.sqrt(strongest_Rhw)


def _blocks(filters: MarkFilters, gradients_2HW: Real) -> tuple[Real, Real]:
    """Return the power of each filter, summed within blocks, and its highest in each (F, h, w)."""
    height, width = gradients_2HW.shape[1:]
    square_HW = np.zeros(_whole(height, width), np.float32)
    rows_hHW = square_HW.reshape(-1, BLOCK_PX, square_HW.shape[1])
    shape = len(rows_hHW), square_HW.shape[1] // BLOCK_PX, BLOCK_PX
    power_Fhw, highest_Fhw = np.empty((2, len(MARGINS_PX), *shape[:2]), np.float32)
    for index, filtered_HW in enumerate(filters.each(gradients_2HW)):
        cv2.multiply(filtered_HW, filtered_HW, dst=square_HW[:height, :width])
        power_Fhw[index] = rows_hHW.sum(axis=1).reshape(shape).sum(axis=2)
        highest_Fhw[index] = rows_hHW.max(axis=1).reshape(shape).max(axis=2)
    return power_Fhw, highest_Fhw


def _pixels(height: int, width: int) -> Real:
    """Return how many pixels of each block each filter tells of (F, h, w)."""
    counts = {}
    for margin_px in set(MARGINS_PX):
        told_HW = np.zeros(_whole(height, width), np.float32)
        told_HW[margin_px : height - margin_px, margin_px : width - margin_px] = 1
        counts[margin_px] = told_HW.reshape(-1, BLOCK_PX, told_HW.shape[1] // BLOCK_PX, BLOCK_PX).sum(axis=(1, 3))
    return np.stack([counts[margin_px] for margin_px in MARGINS_PX])


def _inverse(power_Fhw: Real, pixels_Fhw: Real) -> Real:
    """Return 1 / the mean power around each block."""
    near = [
        [cv2.boxFilter(one_hw, -1, (_BLOCKS, _BLOCKS), normalize=False, borderType=cv2.BORDER_CONSTANT)
         for one_hw in of_Fhw] for of_Fhw in (power_Fhw, pixels_Fhw)
    ]  # fmt: skip
    power, pixels = (np.stack(one) for one in near)
    return np.asarray(pixels / np.maximum(power, np.float32(1e-9) * np.maximum(pixels, 1)), np.float32)


def _whole(height: int, width: int) -> tuple[int, int]:
    """Return the size in whole blocks."""
    return -(-height // BLOCK_PX) * BLOCK_PX, -(-width // BLOCK_PX) * BLOCK_PX

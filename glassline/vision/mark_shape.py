"""The mark itself out of its gradients: its grey levels, and where exactly it lies.

A line has its gradients on both sides: their magnitude is wider than the line, and hollow. Integrated by least squares
(Poisson's equation, the mark being nothing beyond its surroundings) they give the line.
Shapes: H x W pixels of the mark's surroundings.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt
from scipy import fft

Real = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# A faint mark is averaged along it; at half its height it ends where it ends.
_ALONG_PX, _ALONG_FAINT_PX, _DIRECTIONS = 9, 11, 24
_AROUND_PX = 31
# What is thinner than a blob must be half of a line as long as this; the rest are hairs that noise grows on both sides
# of a faint line, and that make its box several times as wide.
_BLOB_PX, _LINE_PX, _LINE_SHARE = 5, 25, 0.5
# Rows and columns at the rim of a box with less of the mark than this share of the fullest one, px at most.
_RIM_SHARE, _RIM_PX = 0.02, 3
# Of noise averaged along its highest direction one pixel in 200 is higher than twice the median; and the least that
# grey levels can tell.
_LOCAL_MEANS, _LOCAL_PX = 2.0, 15
_FLOOR_MEDIANS, _LEAST_LEVELS = 2.0, 0.5


def integrate(x_HW: Real, y_HW: Real, reach_px: float = math.inf) -> Real:
    """Return the image with these forward differences that is 0 all around, in the least-squares sense.

    Args:
        x_HW: Forward differences in x, in grey levels per px.
        y_HW: In y.
        reach_px: How far a difference counts: beyond, the image goes back to 0. What a small error of many differences
            adds up to over a large part of the image is no mark.
    """
    source_HW = x_HW + y_HW
    source_HW[:, 1:] -= x_HW[:, :-1]
    source_HW[1:] -= y_HW[:-1]
    height, width = source_HW.shape
    rows_H, columns_W = (2 * np.cos(np.pi * np.arange(1, size + 1) / (size + 1)) - 2 for size in (height, width))
    spectrum_HW = fft.dstn(source_HW, type=1) / (rows_H[:, None] + columns_W[None, :] - reach_px**-2)
    return np.asarray(fft.idstn(spectrum_HW, type=1), np.float32)


def mark_mask(mark_HW: Real, noise_HW: Real, near_HW: Mask, faint: bool) -> Mask:
    """Return where a mark lies: at half its own height around, and above what noise makes.

    Args:
        mark_HW: Grey levels of the mark.
        noise_HW: The same of noise alone.
        near_HW: Where the mark can lie.
        faint: Noise reaches half of the mark's height here and there.
    """
    along_px = _ALONG_FAINT_PX if faint else _ALONG_PX
    height_HW, floor_HW = (np.abs(averaged(one_HW, along_px)) for one_HW in (mark_HW, noise_HW))
    if not near_HW.any():
        return near_HW
    # By its median: where half of the images show the mark, what is left of the median there is no noise.
    floor = max(_FLOOR_MEDIANS * float(np.median(floor_HW[near_HW])), _LEAST_LEVELS)
    # A layout, such as lines of text, is noisier where it is: of no pixel more than half of the pages are inked.
    local_HW = _LOCAL_MEANS * cv2.blur(floor_HW, (_LOCAL_PX, _LOCAL_PX))
    highest_HW = cv2.dilate(np.where(near_HW, height_HW, 0), np.ones((_AROUND_PX, _AROUND_PX), np.uint8))
    least_HW = np.maximum(np.maximum(highest_HW / 2, local_HW), floor)
    mask_HW = np.asarray(near_HW & (height_HW >= least_HW), np.bool_)
    return _without_hairs(mask_HW) if faint else mask_HW


def _without_hairs(mask_HW: Mask) -> Mask:
    """Return a mask without what is both thin and short, or as it is if that is all of it."""
    blobs_HW = cv2.morphologyEx(mask_HW.astype(np.uint8), cv2.MORPH_OPEN, np.ones((_BLOB_PX, _BLOB_PX), np.uint8)) > 0
    lines_HW = averaged(mask_HW.astype(np.float32), _LINE_PX) >= _LINE_SHARE
    kept_HW = mask_HW & (blobs_HW | lines_HW)
    return kept_HW if kept_HW.any() else mask_HW


def trimmed(mask_hw: Mask, levels_hw: Real) -> tuple[slice, slice]:
    """Return the part of a mark's box that holds it: rows and columns at its rim with next to nothing of it are cut.

    A thin level line is a few rows high, and one hair beside it doubles its box. No more than 3 px are cut of a side,
    so that the thin arm of an angle loses no more.

    Args:
        mask_hw: Pixels of the mark within its box.
        levels_hw: Its grey levels.
    """
    weight_hw = np.abs(levels_hw) * mask_hw
    rows, columns = (_trimmed(weight_hw.sum(axis=axis)) for axis in (1, 0))
    return rows, columns


def _trimmed(weight_N: Real) -> slice:
    kept_N = np.flatnonzero(weight_N >= _RIM_SHARE * weight_N.max())
    first, last = int(kept_N[0]), int(kept_N[-1]) + 1
    return slice(min(first, _RIM_PX), max(last, len(weight_N) - _RIM_PX))


def averaged(mark_HW: Real, along_px: int) -> Real:
    """Return the mean of a mark along the direction in which it is highest, with its sign."""
    strongest_HW = np.zeros_like(mark_HW)
    for angle_deg in np.arange(_DIRECTIONS) * 180 / _DIRECTIONS:
        mean_HW = cv2.filter2D(mark_HW, cv2.CV_32F, _line(float(angle_deg), along_px), borderType=cv2.BORDER_CONSTANT)
        np.copyto(strongest_HW, mean_HW, where=np.abs(mean_HW) > np.abs(strongest_HW))
    return strongest_HW


def _line(angle_deg: float, along_px: int) -> Real:
    kernel = np.zeros((along_px, along_px), np.uint8)
    middle, reach = along_px // 2, along_px / 2
    x, y = reach * np.cos(np.radians(angle_deg)), reach * np.sin(np.radians(angle_deg))
    ends = [(round(middle - x), round(middle - y)), (round(middle + x), round(middle + y))]
    cv2.line(kernel, ends[0], ends[1], 1, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)

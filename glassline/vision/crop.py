"""Square patches around candidates.

Shapes: H x W pixels.
"""

import cv2
import numpy as np

from glassline.vision.candidates import Candidate, CandidateSettings
from glassline.vision.normalise import Grey


def crop_candidate(
    grey_HW: Grey, candidate: Candidate, settings: CandidateSettings
) -> tuple[Grey, tuple[int, int, int]]:
    """Cut the square patch around a candidate; beyond the image's border it is mirrored.

    Args:
        grey_HW: The image that the candidate was found in, or its normalised form, or its mask.
        candidate: Where.
        settings: Window and patch size.

    Returns:
        The patch (patch_px, patch_px) uint8, and its place in the image: left, top and edge in pixels;
        left and top are negative where it reaches beyond the border.
    """
    crop_px = max(settings.window_px, candidate.width_px, candidate.height_px)
    x = candidate.x_px + (candidate.width_px - crop_px) // 2
    y = candidate.y_px + (candidate.height_px - crop_px) // 2
    return crop_square(grey_HW, x, y, crop_px, settings.patch_px), (x, y, crop_px)


def crop_square(grey_HW: Grey, x_px: int, y_px: int, crop_px: int, patch_px: int) -> Grey:
    """Cut the square of edge `crop_px` at (x, y), mirrored beyond the border, resized to `patch_px`."""
    height_px, width_px = grey_HW.shape
    left, top = max(x_px, 0), max(y_px, 0)
    right, bottom = min(x_px + crop_px, width_px), min(y_px + crop_px, height_px)
    inside_HW = grey_HW[top:bottom, left:right]
    pads = ((top - y_px, y_px + crop_px - bottom), (left - x_px, x_px + crop_px - right))
    square_HW = np.pad(inside_HW, pads, mode="symmetric") if any(map(any, pads)) else inside_HW
    if crop_px == patch_px:
        return np.ascontiguousarray(square_HW)
    how = cv2.INTER_AREA if crop_px > patch_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square_HW, (patch_px, patch_px), interpolation=how), np.uint8)

"""Where on an image the glass is.

Shapes: H x W pixels.
"""

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.normalise import Grey

Mask = npt.NDArray[np.bool_]
Glass = Literal["whole", "dark"]

_SHRINK = 4
# The rim of a screen mirrors the lamps: this share of the image's shorter side is left out.
_RIM_SHARE = 0.04
_LEAST_SHARE = 0.1  # less of the image is no plate


def find_glass(grey_HW: Grey, glass: Glass) -> Mask:
    """Return where defects may lie.

    Args:
        grey_HW: Grey image.
        glass: `whole` is everywhere; `dark` is the hull of the largest dark region, less a rim of 4 % of
            the image's shorter side (a black screen on a lighter table or in a lighter frame).

    Returns:
        Mask (H, W); everything where no dark plate stands free of the image's border.
    """
    whole_HW = np.ones(grey_HW.shape, np.bool_)
    height_px, width_px = grey_HW.shape
    if glass == "whole" or min(grey_HW.shape) < 16 * _SHRINK:
        return whole_HW
    size = (width_px // _SHRINK, height_px // _SHRINK)
    small_HW = cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    # On a log scale the screen against the table counts as much as the table against a white frame.
    level_HW = np.asarray(np.log1p(small_HW) * (255 / np.log(256)), np.uint8)
    among = level_HW.ravel()
    for _ in range(2):  # where a frame is white, screen and table are dark together: part them once more
        cut, _ = cv2.threshold(among, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        plate_HW = _largest_hull(level_HW <= cut)
        if plate_HW.mean() >= _LEAST_SHARE and not _touches_border(plate_HW):
            rim_px = max(1, round(_RIM_SHARE * min(size)))
            inner_HW = cv2.erode(plate_HW, np.ones((2 * rim_px + 1,) * 2, np.uint8))
            return cv2.resize(inner_HW, (width_px, height_px), interpolation=cv2.INTER_NEAREST) > 0
        among = level_HW[level_HW <= cut]
    return whole_HW


def _largest_hull(dark_HW: Mask) -> npt.NDArray[np.uint8]:
    """Return the filled convex hull of the largest region."""
    plate_HW = np.zeros(dark_HW.shape, np.uint8)
    contours, _ = cv2.findContours(dark_HW.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if contours:
        cv2.fillConvexPoly(plate_HW, cv2.convexHull(max(contours, key=cv2.contourArea)), (1,))
    return plate_HW


def _touches_border(plate_HW: npt.NDArray[np.uint8]) -> bool:
    return bool(plate_HW[0].any() or plate_HW[-1].any() or plate_HW[:, 0].any() or plate_HW[:, -1].any())

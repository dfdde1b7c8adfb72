"""The mask of what a box holds, from the box alone: brightness at several scales, outlined at a share of its peak.

Shapes: H x W pixels of a zone, or of a box in it.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.double_threshold import Mask
from glassline.vision.light_states import LightResponse, Real
from glassline.vision.normalise import MAD_TO_SIGMA

# Weight of what scatters evenly beside what has a direction: a mold mark has little of it, dust none.
_EVEN = 0.1
# Sharp first; noise falls with each step, and so does sharpness.
_SCALES_PX = (0.6, 1.3, 2.6)
# A scale will do when the mask goes on along so much of the box, and is so clear of the noise.
_REACHES, _CLEAR_SIGMA = 0.75, 12.0
# What stands out at all, in sigmas, and as a share of the typical brightness.
_ROUGH_SIGMA, _ROUGH_SHARE = 5.0, 0.2
# Dust is far brighter than what it lies on: nothing counts for more than this many times the typical.
_CLIP = 1.6
# As shares of half of the mark's width: its texture is smoothed, its peak looked for, its gaps closed.
_SMOOTH, _NEARBY, _CLOSE = 0.07, 0.8, 0.35
# Where the outline lies, as a share of the brightest nearby.
_OUTLINE = 0.4
# Pieces smaller than this share of the largest are specks.
_SPECK = 0.15
# Glare is smooth: it is looked for with so many pixels over the box.
_COARSE = 32


def any_mark(response: LightResponse) -> Real:
    """Return how strongly each pixel speaks for a mark of any class; less for dust and prints, which scatter evenly."""
    return np.asarray(response.strength_HW * (_EVEN + response.modulation_HW), np.float32)


def at_scales(strength_HW: Real) -> list[Real]:
    """Return a zone's strength blurred more and more, each in sigmas of what noise is left."""
    scales = []
    for sigma_px in _SCALES_PX:
        blurred_HW = cv2.GaussianBlur(strength_HW, (0, 0), sigma_px)
        # Between pixels too far apart to share noise and too close for the background to differ.
        apart_px = min(4 * max(1, round(sigma_px)) + 2, strength_HW.shape[1] - 1)
        steps = np.abs(blurred_HW[::3, apart_px::3] - blurred_HW[::3, : -apart_px or None : 3])
        noise = MAD_TO_SIGMA * float(np.median(steps)) / math.sqrt(2)
        scales.append(np.asarray((blurred_HW - np.median(blurred_HW[::5, ::5])) / max(noise, 1e-3), np.float32))
    return scales


def without_glare(strength_HW: Real, rows: slice, columns: slice) -> Real:
    """Return the strength in a box above all around it that is wider than the box: glare of the rim, a large stain.

    Args:
        strength_HW: Strength of the whole zone.
        rows: Rows of the box.
        columns: Columns of the box.
    """
    height, width = rows.stop - rows.start, columns.stop - columns.start
    edge_px = max(height, width)
    shrink = max(1, edge_px // _COARSE)
    top, left = max(rows.start - edge_px, 0), max(columns.start - edge_px, 0)
    around_HW = strength_HW[top : rows.stop + edge_px, left : columns.stop + edge_px]
    small = tuple(max(1, size // shrink) for size in around_HW.shape[::-1])
    kernel = np.ones((max(3, round(1.2 * edge_px / shrink)),) * 2, np.uint8)
    wide_HW = cv2.morphologyEx(cv2.resize(around_HW, small, interpolation=cv2.INTER_AREA), cv2.MORPH_OPEN, kernel)
    ground_HW = cv2.resize(wide_HW, around_HW.shape[::-1], interpolation=cv2.INTER_LINEAR)
    inner = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    return np.asarray(around_HW[inner] - np.maximum(ground_HW[inner], 0), np.float32)


def segment_box(scales: Sequence[Real], solid: bool) -> Mask:
    """Return what stands out inside a box, never nothing.

    Inspectors draw a box around an object: the least blurred scale at which the object reaches from side to side
    of its box is taken, else the one at which it reaches furthest.

    Args:
        scales: Brightness in the box, see `at_scales`.
        solid: Whether what an outline encloses belongs to the object, as for a dent and not for a scratch.
    """
    best_HW, furthest = np.ones(scales[0].shape, np.bool_), 0.0
    for strength_HW in scales:
        typical = _typical(strength_HW)
        mask_HW = _outlined(strength_HW, typical, solid)
        reach = reach_of(mask_HW)
        if reach > furthest:
            best_HW, furthest = mask_HW, reach
        if reach >= _REACHES and typical >= _CLEAR_SIGMA:
            return mask_HW
    return best_HW


def reach_of(mask_HW: Mask) -> float:
    """Return along how much of a box's longer side its mask has a pixel, 0 to 1."""
    along = mask_HW.any(axis=int(np.argmin(mask_HW.shape)))
    return float(along.mean())


def _typical(strength_HW: Real) -> float:
    """Return the upper quartile of what stands out of the noise, 0 when nothing does: dust moves it little."""
    seen = strength_HW[strength_HW >= _ROUGH_SIGMA]
    return float(np.percentile(seen, 75)) if seen.size else 0.0


def _outlined(strength_HW: Real, typical: float, solid: bool) -> Mask:
    """Return what stands out at one scale.

    The outline lies where the brightness falls to 40 % of the brightest nearby, and what it encloses belongs to
    it: the matt inside of a ring, the bottom of a dent. `Nearby` is as far as the mark is wide, so that one end of
    a mark may be fainter than the other.
    """
    if not typical:
        return np.zeros(strength_HW.shape, np.bool_)
    clipped_HW = np.minimum(strength_HW, _CLIP * typical)
    rough_HW = clipped_HW >= max(_ROUGH_SHARE * typical, _ROUGH_SIGMA)
    rough_HW = _filled(rough_HW) if solid else rough_HW
    half_width_px = float(cv2.distanceTransform(np.pad(rough_HW.astype(np.uint8), 1), cv2.DIST_L2, 3).max())
    smooth_HW = clipped_HW
    if _SMOOTH * half_width_px > 0.5:
        smooth_HW = cv2.GaussianBlur(clipped_HW, (0, 0), _SMOOTH * half_width_px)
    nearby_HW = cv2.dilate(smooth_HW, _disc(_NEARBY * half_width_px))
    outlined_HW = rough_HW & (smooth_HW >= _OUTLINE * nearby_HW)
    if not solid:
        return _without_specks(outlined_HW)
    return _without_specks(_filled(_closed(outlined_HW, max(1, round(_CLOSE * half_width_px)))))


def _closed(mask_HW: Mask, radius_px: int) -> Mask:
    """Return a mask with gaps closed, but not towards the box's rim."""
    padded_HW = cv2.morphologyEx(np.pad(mask_HW.astype(np.uint8), radius_px + 1), cv2.MORPH_CLOSE, _disc(radius_px))
    inner = slice(radius_px + 1, -radius_px - 1)
    return np.asarray(padded_HW[inner, inner] > 0)


def _disc(radius_px: float) -> npt.NDArray[np.uint8]:
    edge = 2 * max(1, round(radius_px)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge)), np.uint8)


def _filled(mask_HW: Mask) -> Mask:
    """Return a mask with what its pieces enclose."""
    contours, _ = cv2.findContours(mask_HW.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled_HW = cv2.drawContours(np.zeros(mask_HW.shape, np.uint8), contours, -1, 1, cv2.FILLED)
    return np.asarray(filled_HW > 0)


def _without_specks(mask_HW: Mask) -> Mask:
    """Return a mask without pieces that are small beside the largest: dust that happens to lie in the box."""
    _, labels_HW, stats, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= _SPECK * stats[1:, cv2.CC_STAT_AREA].max(initial=0)
    keep[0] = False
    return np.asarray(keep[labels_HW])

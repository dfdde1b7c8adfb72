"""Merge an inspector's boxes with a model's mask into the final masks of one zone.

The final mask is the union over boxes of (box and model mask); where the model has nothing in a box, the box is
segmented by itself, so that none is lost.

Source: Turko 2021, section 4.
Shapes: H x W pixels of the clean zone, or of a box in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from glassline.data.annotations.boxes import Box
from glassline.vision.current_model import CurrentModel
from glassline.vision.double_threshold import Mask, Segmentation
from glassline.vision.light_states import LightResponse, Real
from glassline.vision.shift import Shift

#: A mask of fewer pixels is nothing: a speck of dust at the box's rim, not the object that was boxed.
LEAST_PX = 6

_SCALES_PX = (0.6, 1.3, 2.6)
_REACHES = 0.75
_LEAST_REACH = 0.7
_CLEAR_SIGMA = 12.0
_SMOOTH_SHARE = 0.07
_CLIP = 1.6
_ROUGH_SHARE, _ROUGH_SIGMA = 0.2, 5.0
_NEARBY, _HALF, _CLOSE = 0.8, 0.4, 0.35
_SPECK_SHARE = 0.15


@dataclass(frozen=True)
class MergedObject:
    """One boxed object with its final mask.

    Attributes:
        drawn: The inspector's box, moved to the clean zone.
        x_px: Left edge of the mask's window.
        y_px: Top edge of the mask's window.
        mask_HW: Mask in that window, never empty; the window is the box in whole pixels.
        model_HW: The model's mask in the same window.
        by: Who segmented it.
    """

    drawn: Box
    x_px: int
    y_px: int
    mask_HW: Mask
    model_HW: Mask
    by: Literal["model", "box"]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        height, width = self.mask_HW.shape
        return slice(self.y_px, self.y_px + height), slice(self.x_px, self.x_px + width)

    def whole_mask(self, shape_HW: tuple[int, int]) -> Mask:
        """Return the mask in the zone."""
        mask_HW = np.zeros(shape_HW, np.bool_)
        mask_HW[self.window] = self.mask_HW
        return mask_HW


def merge_boxes(
    boxes: Sequence[Box], shift: Shift, response: LightResponse, found: Segmentation, model: CurrentModel
) -> tuple[list[MergedObject], list[Box]]:
    """Move boxes to the clean zone and segment what they hold.

    Args:
        boxes: In px of the picture that they were drawn on.
        shift: Where that picture's content lies relative to the clean zone's.
        response: The clean zone's.
        found: What the model finds on it; trusted for boxes of its own class only.
        model: The model.

    Returns:
        One object per box, and the boxes that lie outside the clean zone once moved.
    """
    merged, outside = list[MergedObject](), list[Box]()
    height, width = response.strength_HW.shape
    scales = at_scales(response.strength_HW)
    for box in boxes:
        x, y = box.bbox[0] - shift.x_px, box.bbox[1] - shift.y_px
        left, top = max(math.floor(x), 0), max(math.floor(y), 0)
        right, bottom = min(math.ceil(x + box.bbox[2]), width), min(math.ceil(y + box.bbox[3]), height)
        if left >= right or top >= bottom:
            outside.append(box)
            continue
        moved = Box(box.label, (left, top, right - left, bottom - top), box.status)
        rows, columns = slice(top, bottom), slice(left, right)
        model_HW = found.mask_HW[rows, columns]
        if box.label == model.label and reach_of(model_HW) >= _LEAST_REACH:
            merged.append(MergedObject(moved, left, top, model_HW.copy(), model_HW, "model"))
        else:
            mask_HW = segment_box([scale_HW[rows, columns] for scale_HW in scales])
            merged.append(MergedObject(moved, left, top, mask_HW, model_HW, "box"))
    return merged, outside


def at_scales(strength_HW: Real) -> list[Real]:
    """Return a zone's strength blurred more and more, each in sigmas of what noise is left."""
    scales = []
    for sigma_px in _SCALES_PX:
        blurred_HW = cv2.GaussianBlur(strength_HW, (0, 0), sigma_px)
        # Between pixels too far apart to share noise and too close for the background to differ.
        apart_px = min(4 * max(1, round(sigma_px)) + 2, strength_HW.shape[1] - 1)
        steps = np.abs(blurred_HW[::3, apart_px::3] - blurred_HW[::3, : -apart_px or None : 3])
        noise = 1.4826 * float(np.median(steps)) / math.sqrt(2)
        scales.append(np.asarray((blurred_HW - np.median(blurred_HW[::5, ::5])) / max(noise, 1e-3), np.float32))
    return scales


def segment_box(scales: Sequence[Real]) -> Mask:
    """Return what stands out inside a box, never nothing.

    Inspectors draw a box around an object: the least blurred scale at which the object reaches from side to side
    of its box is taken, else the one at which it reaches furthest.

    Args:
        scales: Brightness in the box, see `at_scales`.
    """
    best_HW, furthest = np.ones(scales[0].shape, np.bool_), 0.0
    for strength_HW in scales:
        typical = _typical(strength_HW)
        mask_HW = _outlined(strength_HW, typical)
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


def _outlined(strength_HW: Real, typical: float) -> Mask:
    """Return what stands out at one scale.

    The outline lies where the brightness falls to half of the brightest nearby, and what it encloses belongs to
    it: the matt inside of a ring, the bottom of a dent. `Nearby` is as far as the mark is wide, so that one end of
    a mark may be fainter than the other.
    """
    if not typical:
        return np.zeros(strength_HW.shape, np.bool_)
    clipped_HW = np.minimum(strength_HW, _CLIP * typical)
    rough_HW = _filled(clipped_HW >= max(_ROUGH_SHARE * typical, _ROUGH_SIGMA))
    half_width_px = float(cv2.distanceTransform(np.pad(rough_HW.astype(np.uint8), 1), cv2.DIST_L2, 3).max())
    smooth_HW = clipped_HW
    if _SMOOTH_SHARE * half_width_px > 0.5:
        smooth_HW = cv2.GaussianBlur(clipped_HW, (0, 0), _SMOOTH_SHARE * half_width_px)
    nearby_HW = cv2.dilate(smooth_HW, _disc(_NEARBY * half_width_px))
    half_HW = rough_HW & (smooth_HW >= _HALF * nearby_HW)
    return _without_specks(_filled(_closed(half_HW, max(1, round(_CLOSE * half_width_px)))))


def _closed(mask_HW: Mask, radius_px: int) -> Mask:
    """Return a mask with gaps closed, but not towards the box's rim."""
    padded_HW = cv2.morphologyEx(np.pad(mask_HW.astype(np.uint8), radius_px + 1), cv2.MORPH_CLOSE, _disc(radius_px))
    inner = slice(radius_px + 1, -radius_px - 1)
    return np.asarray(padded_HW[inner, inner] > 0)


def _disc(radius_px: float) -> Mask:
    edge = 2 * max(1, round(radius_px)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge))


def _filled(mask_HW: Mask) -> Mask:
    """Return a mask with what its pieces enclose."""
    contours, _ = cv2.findContours(mask_HW.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled_HW = cv2.drawContours(np.zeros(mask_HW.shape, np.uint8), contours, -1, 1, cv2.FILLED)
    return np.asarray(filled_HW > 0)


def _without_specks(mask_HW: Mask) -> Mask:
    """Return a mask without pieces that are small beside the largest: dust that happens to lie in the box."""
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= _SPECK_SHARE * stats[1:, cv2.CC_STAT_AREA].max(initial=0)
    keep[0] = False
    return np.asarray(keep[labels_HW])

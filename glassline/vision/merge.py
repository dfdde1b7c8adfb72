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
        if box.label == model.label and np.count_nonzero(model_HW) >= LEAST_PX:
            merged.append(MergedObject(moved, left, top, model_HW.copy(), model_HW, "model"))
        else:
            mask_HW = segment_box(response.strength_HW[rows, columns])
            merged.append(MergedObject(moved, left, top, mask_HW, model_HW, "box"))
    return merged, outside


def segment_box(strength_HW: Real) -> Mask:
    """Return what stands out inside a box, never nothing.

    Otsu's threshold on the logarithm of the brightness, for a mark's core and its halo differ by decades.

    Args:
        strength_HW: Brightness in the box, in sigmas of the noise.
    """
    level_HW = np.log1p(np.maximum(strength_HW, 0))
    darkest, brightest = float(level_HW.min()), float(level_HW.max())
    if brightest - darkest < 1e-6:
        return np.ones(strength_HW.shape, np.bool_)
    bytes_HW = np.rint((level_HW - darkest) / (brightest - darkest) * 255).astype(np.uint8)
    cut, _ = cv2.threshold(bytes_HW, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(bytes_HW > cut)

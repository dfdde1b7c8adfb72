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
from glassline.data.captures.meta import ZoneMeta
from glassline.vision.box_mask import any_mark, at_scales, reach_of, segment_box, without_glare
from glassline.vision.current_model import CurrentModel
from glassline.vision.double_threshold import Mask, Segmentation
from glassline.vision.light_states import LightResponse
from glassline.vision.shift import Shift

# Along how much of its box's longer side a model's mask must go on to be the object, and not a part of it.
_LEAST_REACH = 0.7
# How much of a piece lies in the box when it is of the object that was boxed.
_MOSTLY = 0.6


#: Who segmented an object: the model, or the box by itself.
By = Literal["model", "box"]


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
    by: By

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
    boxes: Sequence[Box],
    shift: Shift,
    response: LightResponse,
    found: Segmentation,
    model: CurrentModel,
    meta: ZoneMeta,
) -> tuple[list[MergedObject], list[Box]]:  # fmt: skip
    """Move boxes to the clean zone and segment what they hold.

    Args:
        boxes: In px of the picture that they were drawn on.
        shift: Where that picture's content lies relative to the clean zone's.
        response: The clean zone's.
        found: What the model finds on it; trusted for boxes of its own class only.
        model: The model.
        meta: How the clean zone was taken.

    Returns:
        One object per box, and the boxes that lie outside the clean zone once moved.
    """
    merged, outside = list[MergedObject](), list[Box]()
    height, width = response.strength_HW.shape
    has_own = any(box.label == model.label for box in boxes)
    own_scales = at_scales(model.evidence(response, meta)) if has_own else []
    scales = at_scales(any_mark(response))
    pieces = _Pieces(found.mask_HW)
    for box in boxes:
        x, y = box.bbox[0] - shift.x_px, box.bbox[1] - shift.y_px
        left, top = max(math.floor(x), 0), max(math.floor(y), 0)
        right, bottom = min(math.ceil(x + box.bbox[2]), width), min(math.ceil(y + box.bbox[3]), height)
        if left >= right or top >= bottom:
            outside.append(box)
            continue
        rows, columns = slice(top, bottom), slice(left, right)
        own = box.label == model.label
        by_model_HW = pieces.inside(rows, columns) if own else None
        mask_HW = by_model_HW
        if mask_HW is None:
            cut = [scale_HW[rows, columns] for scale_HW in own_scales] if own else []
            cut = cut or [without_glare(scale_HW, rows, columns) for scale_HW in scales]
            mask_HW = segment_box(cut, solid=not own)
        moved = Box(box.label, (left, top, right - left, bottom - top), box.status)
        by: By = "box" if by_model_HW is None else "model"
        merged.append(MergedObject(moved, left, top, mask_HW, found.mask_HW[rows, columns], by))
    return merged, outside


class _Pieces:
    """The connected pieces of the model's mask."""

    def __init__(self, mask_HW: Mask) -> None:
        _, self._labels_HW, stats, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=8)
        self._area_px = stats[:, cv2.CC_STAT_AREA]

    def inside(self, rows: slice, columns: slice) -> Mask | None:
        """Return the model's mask in a box, None when it does not reach from side to side.

        A piece of which most lies beyond the box belongs to another object that crosses it: inspectors draw a box
        around the whole of one. It is kept where nothing reaches without it, for pieces that cross are one.
        """
        labels_HW = self._labels_HW[rows, columns]
        inside_px = np.bincount(labels_HW.ravel(), minlength=len(self._area_px))
        own = inside_px >= _MOSTLY * self._area_px
        own[0] = False
        for mask_HW in (own[labels_HW], labels_HW > 0):
            if reach_of(mask_HW) >= _LEAST_REACH:
                return np.asarray(mask_HW)
        return None

"""Merge what an inspector drew on one zone: measure its shift, segment it, turn it into labels.

Shapes: H x W pixels of the clean zone.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from glassline.data.annotations.boxes import Box
from glassline.data.annotations.zones import ZoneBoxes
from glassline.data.captures.store import Captures
from glassline.data.labels import LabelledObject, ZoneLabels
from glassline.settings import Settings
from glassline.vision.bayer import Levels, grey_of_states
from glassline.vision.current_model import CurrentModel
from glassline.vision.double_threshold import Segmentation
from glassline.vision.light_states import respond
from glassline.vision.merge import MergedObject, merge_boxes
from glassline.vision.run_lengths import run_lengths
from glassline.vision.shift import Shift, ShiftSettings, measure_shift


class MergeSettings(Settings):
    """How boxes and masks are merged."""

    classes: tuple[str, ...] = Field((), description="classes that a box may have; any when empty")
    refused: Literal["fail", "leave-out"] = Field(
        "fail", description="what becomes of the merge when a zone moved too far: it fails, or that zone gets no labels"
    )
    shift: ShiftSettings = Field(ShiftSettings(), description="how far a zone may have moved")


@dataclass(frozen=True)
class ZoneMerge:
    """One merged zone.

    Attributes:
        labels: What goes into the label file.
        objects: The same with the inspector's boxes and the model's masks.
        outside: Boxes that lie beside the clean zone once moved.
        shift: How far the picture that was drawn on lies from the clean zone; None where it need not be known.
        found: What the model finds.
        grey_HW: The clean zone, brightest light state.
    """

    labels: ZoneLabels
    objects: list[MergedObject]
    outside: list[Box]
    shift: Shift | None
    found: Segmentation
    grey_HW: Levels


def merge_zone(captures: Captures, zone: ZoneBoxes, model: CurrentModel, settings: MergeSettings) -> ZoneMerge | str:
    """Merge one zone.

    A zone without boxes, or drawn on the clean picture itself, has nothing to move: its shift is not measured.

    Args:
        captures: Where the zone lies.
        zone: What was drawn.
        model: The current model.
        settings: How to merge.

    Returns:
        The merged zone, or why it is refused.

    Raises:
        DataError: A chunk of the zone is damaged.
    """
    meta = captures.meta(zone.clean)
    frames_SHW = captures.read(zone.clean)
    response = respond(frames_SHW, meta.pattern, meta.azimuths_deg)
    shift = None
    if zone.boxes and zone.drawn_on.kind == "marked":
        drawn = captures.meta(zone.drawn_on)
        marked = respond(captures.read(zone.drawn_on), drawn.pattern, drawn.azimuths_deg)
        if marked.strength_HW.shape != response.strength_HW.shape:
            sizes = f"{response.strength_HW.shape} and {marked.strength_HW.shape}"
            return f"its clean and marked capture must be of one size, got {sizes}; capture both alike"
        shift = measure_shift(response.strength_HW, marked.strength_HW, meta.pitch_um, settings.shift)
        refused = wrong_shift(shift, meta.pitch_um, settings.shift)
        if refused:
            return refused
    found = model.segment(frames_SHW, response, meta)
    objects, outside = merge_boxes(zone.boxes, shift or Shift(0, 0, 1), response, found, model, meta)
    height, width = response.strength_HW.shape
    labels = ZoneLabels(
        glass=meta.glass, zone=meta.zone, width_px=width, height_px=height,
        objects=tuple(_labelled(item, (height, width)) for item in objects),
    )  # fmt: skip
    return ZoneMerge(labels, objects, outside, shift, found, grey_of_states(frames_SHW, meta.pattern))


def wrong_shift(shift: Shift, pitch_um: float, settings: ShiftSettings) -> str:
    """Return why a shift is refused, "" when it is not."""
    if shift.response < settings.min_response:
        return (
            f"the shift of its marked capture must be measurable, response >= {settings.min_response:g}, got "
            f"{shift.response:.3f}; capture it again, or lower shift.min_response"
        )
    length_um = shift.length_um(pitch_um)
    if length_um > settings.tolerance_um:
        return (
            f"its marked capture must lie within {settings.tolerance_um:g} um of the clean one, got {length_um:.0f} um "
            f"({shift.x_px:+.1f}, {shift.y_px:+.1f} px); check the stage, then capture it again"
        )
    return ""


def _labelled(item: MergedObject, shape_HW: tuple[int, int]) -> LabelledObject:
    x, y, width, height = cv2.boundingRect(item.mask_HW.astype(np.uint8))
    return LabelledObject(
        label=item.drawn.label, bbox=(x + item.x_px, y + item.y_px, width, height),
        segmentation=run_lengths(item.mask_HW, (item.x_px, item.y_px), shape_HW), status=item.drawn.status,
    )  # fmt: skip

"""Boxes drawn on images, as every format of labelling software says them; checked against their image."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from glassline.data.labels import Status

#: By how many pixels a box may stick out of its image before it is an error: tools round differently.
BOX_SLACK_PX = 1.0

#: Attribute of a box that says how sure it is, and its values.
STATUS, STATUSES = "status", get_args(Status)

# Formats state corners, percent, or count from one: what comes back differs in the last digits only.
_DIGITS = 4


@dataclass(frozen=True)
class Box:
    """One object of an image.

    Attributes:
        label: Class.
        bbox: x, y, width, height in px of the image, inside it.
        status: How sure the box is.
        segmentation: COCO polygons or run lengths where the file has them, else None.
        fields: Further attributes as the file says them, such as what was decided on a sample.
    """

    label: str
    bbox: tuple[float, float, float, float]
    status: Status = "confirmed"
    segmentation: Any = None
    fields: Mapping[str, str] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        """Return the object as a sample table keeps it."""
        told = {"label": self.label, "bbox": list(self.bbox), "segmentation": self.segmentation}
        return told if self.status == "confirmed" else {**told, STATUS: self.status}


@dataclass
class AnnotatedImage:
    """One image as an annotation file lists it; the picture itself need not be there.

    Attributes:
        name: File name as the file says it.
        size_px: Width and height as the file states them, None where it does not.
        boxes: In the file's order; none when the image is listed without any.
        where: The record, for messages.
        fields: What the record carries besides, such as x_mm of a COCO image.
    """

    name: str
    size_px: tuple[int, int] | None
    boxes: list[Box] = field(default_factory=list)
    where: str = field(default="", compare=False)
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Annotations:
    """What an annotation file says.

    Attributes:
        images: In the file's order.
        classes: In the file's order, with those that no box has; sorted where the format keeps no list.
        unlabelled: Names of images that the file lists as not looked at yet.
    """

    images: list[AnnotatedImage]
    classes: tuple[str, ...]
    unlabelled: list[str] = field(default_factory=list)


def used_classes(images: list[AnnotatedImage]) -> tuple[str, ...]:
    """Return the classes of all boxes, sorted, for formats that keep no list of classes."""
    return tuple(sorted({box.label for image in images for box in image.boxes}))


def read_box(
    label: str, box_px: tuple[float, float, float, float], size_px: tuple[int, int], status: Any = None,
    segmentation: Any = None, fields: Mapping[str, str] | None = None,
) -> Box | str:  # fmt: skip
    """Return a checked box, or what is wrong with it; `box_px` is x, y, width, height."""
    bbox, problem = checked_box(*box_px, size_px)
    if problem:
        return problem
    if status not in (None, *STATUSES):
        return f"{STATUS} must be one of {', '.join(STATUSES)}, got {status!r:.40}; mend the attribute"
    x, y, width, height = bbox
    return Box(label, (x, y, width, height), status or "confirmed", segmentation, fields or {})


def checked_box(x: float, y: float, width: float, height: float, size_px: tuple[int, int]) -> tuple[list[float], str]:
    """Return (box clipped to the image, problem); x, y, width, height in px, the problem "" when there is none."""
    box = f"x {x:g}, y {y:g}, width {width:g}, height {height:g} px"
    remedy = "mend or delete the box"
    if not all(math.isfinite(value) for value in (x, y, width, height)) or width <= 0 or height <= 0:
        return [], f"a box must have a finite place and a positive size, got {box}; {remedy}"
    right, bottom = x + width, y + height
    if min(x, y) < -BOX_SLACK_PX or right > size_px[0] + BOX_SLACK_PX or bottom > size_px[1] + BOX_SLACK_PX:
        return [], f"a box must lie inside its image of {size_px[0]} x {size_px[1]} px, got {box}; {remedy}"
    x, y = max(x, 0.0), max(y, 0.0)
    clipped = [x, y, min(right, size_px[0]) - x, min(bottom, size_px[1]) - y]
    if min(clipped[2:]) <= 0:
        return [], f"a box must lie inside its image of {size_px[0]} x {size_px[1]} px, got {box}; {remedy}"
    return [round(value, _DIGITS) for value in clipped], ""

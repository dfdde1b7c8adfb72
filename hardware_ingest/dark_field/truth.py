"""What is true of a simulated zone: masks, boxes and classes, and what an inspector would draw of it.

Shapes: N pixels of a mark, M of its mask.
"""

from dataclasses import dataclass

import numpy as np
from pycocotools import mask as coco_mask

from glassline.data.annotations.boxes import Box
from glassline.data.labels import LabelledObject, Status
from hardware_ingest.dark_field.place import Place
from hardware_ingest.dark_field.scatter import Index, Mark, Rng, View
from hardware_ingest.dark_field.settings import CONTAMINANTS, DEFECTS

#: A pixel belongs to a mask where a mark's profile has this share of its peak.
MASK_FROM = 0.4
#: Smaller pieces, such as what a zone's edge leaves of a defect, have no label.
SMALLEST_PX = 8

# Boxes by hand: px by which each side lies outside the defect, at least and at most.
_SLACK_PX = (1.0, 7.0)
_STATUSES: tuple[tuple[Status, float], ...] = (("confirmed", 0.80), ("wiped", 0.12), ("microscope", 0.08))


@dataclass(frozen=True)
class TrueObject:
    """One defect or contaminant in a zone.

    Attributes:
        mark: What it is.
        label: Its box and mask in px of the zone as taken.
    """

    mark: Mark
    label: LabelledObject


def true_objects(place: Place) -> list[TrueObject]:
    """Return every defect and contaminant with a mask in the view; ink has none."""
    found = []
    for mark, drawn in place.seen:
        inside_M = np.sort(drawn.index_N[drawn.extent_N >= MASK_FROM])
        if mark.label in (*DEFECTS, *CONTAMINANTS) and len(inside_M) >= SMALLEST_PX:
            found.append(TrueObject(mark, _label(mark.label, inside_M, place.view)))
    return found


def drawn_boxes(objects: list[TrueObject], width_px: int, height_px: int, rng: Rng) -> tuple[Box, ...]:
    """Draw an inspector's boxes: one around each defect, a few pixels too large, some contested.

    Args:
        objects: What is true of the marked zone.
        width_px: Width of the zone.
        height_px: Height of the zone.
        rng: Source of slack and statuses.
    """
    boxes = []
    for item in objects:
        if item.mark.label not in DEFECTS:
            continue
        x, y, width, height = item.label.bbox
        left, top, right, bottom = rng.uniform(*_SLACK_PX, 4)
        x0, y0 = max(x - left, 0), max(y - top, 0)
        x1, y1 = min(x + width + right, width_px), min(y + height + bottom, height_px)
        names, shares = zip(*_STATUSES, strict=True)
        status = names[int(rng.choice(len(names), p=shares))]
        corner, size = (round(x0, 1), round(y0, 1)), (round(x1 - x0, 1), round(y1 - y0, 1))
        boxes.append(Box(item.mark.label, (*corner, *size), status))
    return tuple(boxes)


def _label(label: str, index_M: Index, view: View) -> LabelledObject:
    row_M, column_M = index_M // view.width_px, index_M % view.width_px
    x, y = int(column_M.min()), int(row_M.min())
    size = (float(column_M.max() - x + 1), float(row_M.max() - y + 1))
    runs = _runs(np.sort(column_M * view.height_px + row_M), view.height_px * view.width_px)
    lengths = {"size": [view.height_px, view.width_px], "counts": runs}
    packed = coco_mask.frPyObjects(lengths, view.height_px, view.width_px)
    segmentation = {"size": [view.height_px, view.width_px], "counts": packed["counts"].decode()}
    return LabelledObject(label=label, bbox=(float(x), float(y), *size), segmentation=segmentation)


def _runs(index_M: Index, pixels: int) -> list[int]:
    """Return COCO's run lengths, outside and inside by turns, from sorted column-first indices."""
    first = np.flatnonzero(np.diff(index_M, prepend=-2) != 1)
    last = np.append(first[1:], len(index_M)) - 1
    borders = np.stack([index_M[first], index_M[last] + 1], axis=1).ravel()
    runs: list[int] = np.diff(borders, prepend=0, append=pixels).tolist()
    return runs if runs[-1] else runs[:-1]

"""Which defects of an image were hit and missed, and which alarms are false.

Shapes: H x W pixels.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from glassline.analysis.detection import HIT_IOU
from glassline.analysis.detection_tables import ImageDefects
from glassline.analysis.matching import Index, match_defects


@dataclass(frozen=True)
class Mark:
    """What an overlay points at.

    Attributes:
        outcome: `found` where no annotation is known.
        bbox_px: x, y, width, height in px.
        iou: IoU with its match, 0 where there is none.
        type: Type, as found; as annotated of a miss; "" where it is not told.
        annotated: Annotated type of a hit, "" of others.
        probability: Probability of the type, NaN where it is not known.
        severity_max: Highest severity, NaN where it is not known.
        severity_mean: Mean severity.
    """

    outcome: Literal["miss", "false alarm", "hit", "found"]
    bbox_px: tuple[int, int, int, int]
    iou: float
    type: str
    annotated: str
    probability: float
    severity_max: float
    severity_mean: float


def marks_of(annotated: ImageDefects | None, found: ImageDefects, hit_iou: float = HIT_IOU) -> list[Mark]:
    """Return misses, the largest first, then false alarms and hits, the most severe first.

    A defect below the IoU of a hit is a miss, and what was found there a false alarm; both tell the IoU.

    Args:
        annotated: Annotated defects, or None where they are not known: then what was found is returned.
        found: Found defects.
        hit_iou: IoU that a hit needs.
    """
    boxes = _boxes(found.index_HW)
    if annotated is None:
        return _severe([_mark("found", boxes[number], 0.0, found, number) for number in boxes])
    matches = match_defects(annotated.index_HW, found.index_HW, len(annotated.types), len(found.types))
    marks: dict[str, list[Mark]] = {"miss": [], "false alarm": [], "hit": []}
    for number, box in _boxes(annotated.index_HW).items():
        if (iou := float(matches.iou_N[number])) < hit_iou:
            marks["miss"].append(_mark("miss", box, iou, annotated, number))
    partner_M = matches.partner_M
    for number, box in boxes.items():
        partner = int(partner_M[number])
        iou = float(matches.iou_N[partner]) if partner >= 0 else 0.0
        outcome: Literal["hit", "false alarm"] = "hit" if iou >= hit_iou and partner >= 0 else "false alarm"
        marks[outcome].append(
            _mark(outcome, box, iou, found, number, annotated.types[partner] if outcome == "hit" else "")
        )
    misses = sorted(marks["miss"], key=lambda mark: -mark.bbox_px[2] * mark.bbox_px[3])
    return misses + _severe(marks["false alarm"]) + _severe(marks["hit"])


def _severe(marks: list[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: -np.nan_to_num(mark.severity_max))


def _boxes(index_HW: Index) -> dict[int, tuple[int, int, int, int]]:
    """Return the box of each defect that has a pixel, by its number from 0."""
    return {
        number: (place[1].start, place[0].start, place[1].stop - place[1].start, place[0].stop - place[0].start)
        for number, place in enumerate(ndimage.find_objects(index_HW))
        if place is not None
    }


def _mark(
    outcome: Literal["miss", "false alarm", "hit", "found"], bbox_px: tuple[int, int, int, int], iou: float,
    of: ImageDefects, number: int, annotated: str = "",
) -> Mark:  # fmt: skip
    highest, mean, _ = of.severity_N3[number]
    return Mark(outcome, bbox_px, iou, of.types[number], annotated, float(of.probability_N[number]), float(highest),
                float(mean))  # fmt: skip

"""Which scratches of a zone were hit and missed, and which alarms are false.

Shapes: H x W pixels of the zone, h x w pixels of the score map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.light_states import Real
from glassline.vision.scratches import Scratch

Mask = npt.NDArray[np.bool_]

#: A label lies a few px beside what it labels; pieces of one scratch are that close.
_NEAR_PX = 5


@dataclass(frozen=True)
class Mark:
    """What an overlay points at.

    Attributes:
        outcome: `found` where no truth is known.
        bbox_px: x, y, width, height in px of the zone.
        mask_HW: Its pixels, of the box: found ones, or true ones of a miss.
        spot_px: x, y of a pixel of it, the likeliest where scores tell.
        peak: Highest score, 0 where nothing was found.
        scratch: What was found; None of a miss.
    """

    outcome: Literal["miss", "false alarm", "hit", "found"]
    bbox_px: tuple[int, int, int, int]
    mask_HW: Mask
    spot_px: tuple[int, int]
    peak: float
    scratch: Scratch | None = None


def marks_of(
    truth_HW: Mask | None, scratches: Sequence[Scratch], size_px: tuple[int, int], high: float,
    score_hw: Real | None, low: float,
) -> list[Mark]:  # fmt: skip
    """Return misses, the longest first, then false alarms and hits, the likeliest first.

    A scratch is hit where a pixel that was found lies within 5 px of it; pieces of it closer than 10 px are one.

    Args:
        truth_HW: Scratches of the zone, or None where they are not known: then what was found is returned.
        scratches: What was found, with every peak.
        size_px: Height and width of the zone.
        high: Peak from which it counts.
        score_hw: Scores; without them a scratch lies all over its box.
        low: Score that a pixel needs.
    """
    order = sorted(scratches, key=lambda one: -one.peak)
    found = [_found(one, size_px, score_hw, low) for one in order]
    if truth_HW is None:
        return [mark for mark in found if mark.peak >= high]
    near = np.ones((2 * _NEAR_PX + 1, 2 * _NEAR_PX + 1), np.uint8)
    near_HW = cv2.dilate(truth_HW.astype(np.uint8), near)
    count, labels_HW, boxes, _ = cv2.connectedComponentsWithStats(near_HW, connectivity=8)
    peaks = np.zeros(count)
    marks: dict[str, list[Mark]] = {"false alarm": [], "hit": []}
    for mark in found:
        touched = np.unique(labels_HW[_box(mark.bbox_px)][mark.mask_HW])
        touched = touched[touched > 0]
        peaks[touched] = np.maximum(peaks[touched], mark.peak)
        if mark.peak >= high:
            outcome: Literal["hit", "false alarm"] = "hit" if len(touched) else "false alarm"
            marks[outcome].append(Mark(outcome, mark.bbox_px, mark.mask_HW, mark.spot_px, mark.peak, mark.scratch))
    missed = [number for number in range(1, count) if peaks[number] < high]
    misses = []
    for number in missed:
        left, top, width, height = (int(px) for px in boxes[number, : cv2.CC_STAT_AREA])
        window = _box((left, top, width, height))
        misses.append(_miss(truth_HW[window] & (labels_HW[window] == number), left, top, float(peaks[number])))
    return sorted(misses, key=lambda one: -max(one.bbox_px[2:])) + marks["false alarm"] + marks["hit"]


def _found(one: Scratch, size_px: tuple[int, int], score_hw: Real | None, low: float) -> Mark:
    x, y, width, height = one.bbox_px
    # The blocks of a score map may reach over the edge of the zone.
    width, height = min(width, size_px[1] - x), min(height, size_px[0] - y)
    if score_hw is None:
        whole_HW = np.ones((height, width), np.bool_)
        return Mark("found", (x, y, width, height), whole_HW, (x + width // 2, y + height // 2), one.peak, one)
    block = max(1, round(size_px[0] / score_hw.shape[0]))
    of_rows, of_columns = np.arange(y, y + height) // block, np.arange(x, x + width) // block
    score_HW = score_hw[np.ix_(of_rows, of_columns)]
    row, column = divmod(int(score_HW.argmax()), width)
    return Mark("found", (x, y, width, height), score_HW >= low, (x + column, y + row), one.peak, one)


def _miss(missed_HW: Mask, left: int, top: int, peak: float) -> Mark:
    """Return the mark of a true scratch within a window that starts at `left`, `top`."""
    x, y, width, height = (int(px) for px in cv2.boundingRect(missed_HW.astype(np.uint8)))
    rows, columns = np.nonzero(missed_HW)
    middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    spot = (left + int(columns[middle]), top + int(rows[middle]))
    return Mark("miss", (left + x, top + y, width, height), missed_HW[_box((x, y, width, height))], spot, peak)


def _box(bbox_px: tuple[int, int, int, int]) -> tuple[slice, slice]:
    x, y, width, height = bbox_px
    return slice(y, y + height), slice(x, x + width)

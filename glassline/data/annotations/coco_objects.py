"""One COCO annotation: box and segmentation, checked before any decoder sees them.

Run lengths are checked here in plain Python, because a decoder in C trusts that they fill the image.
"""

from typing import Any

from glassline.data.annotations.boxes import STATUS, Box, read_box

_REMEDY = "mend or delete the annotation"


def read_object(annotation: dict[str, Any], label: str, size_px: tuple[int, int] | None) -> Box | str:
    """Return the object, or what is wrong with it."""
    if size_px is None:
        return f"its image must state width and height, got none; {_REMEDY}"
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(is_number(value) for value in box):
        return f"bbox must be [x, y, width, height] in px, got {box!r:.80}; {_REMEDY}"
    segmentation = annotation.get("segmentation") or None
    attributes = annotation.get("attributes")
    told = dict(attributes) if isinstance(attributes, dict) else {}
    status = told.pop(STATUS, None)
    fields = {name: str(value) for name, value in told.items() if isinstance(value, str | int | float)}
    found = read_box(label, (box[0], box[1], box[2], box[3]), size_px, status, segmentation, fields)
    if isinstance(found, str) or segmentation is None:
        return found
    if isinstance(segmentation, list):
        return _wrong_polygons(segmentation) or found
    if isinstance(segmentation, dict):
        return _wrong_runs(segmentation, size_px) or found
    return f"segmentation must be polygons or run lengths, got {segmentation!r:.80}; {_REMEDY}"


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a number of a size that pixels or millimetres can have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e9


def _wrong_polygons(polygons: list[Any]) -> str:
    for polygon in polygons:
        whole = isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0
        if not whole or not all(is_number(value) for value in polygon):
            return f"a polygon must be at least three points x, y, got {polygon!r:.80}; {_REMEDY}"
    return ""


def _wrong_runs(segmentation: dict[str, Any], size_px: tuple[int, int]) -> str:
    counts, size = segmentation.get("counts"), segmentation.get("size")
    width, height = size_px
    if size != [height, width]:
        return f"run lengths must have the size [{height}, {width}] of the image, got {size!r:.40}; {_REMEDY}"
    try:
        runs = _unpacked(counts) if isinstance(counts, str) else list(counts or [])
    except (TypeError, ValueError):
        runs = []
    whole = all(isinstance(run, int) and not isinstance(run, bool) and run >= 0 for run in runs)
    if not whole or sum(runs) != width * height:
        return f"run lengths must add up to the image's {width * height} px, got {counts!r:.60}; {_REMEDY}"
    return ""


def _unpacked(counts: str) -> list[int]:
    """Return run lengths from COCO's compressed string: 6 bits a character, each run after the
    second as its difference to the run two before."""
    runs: list[int] = []
    value = shift = 0
    for code in counts.encode("ascii"):
        digit = code - 48
        if not 0 <= digit < 64 or shift > 30:
            raise ValueError(counts)
        value |= (digit & 0x1F) << shift
        shift += 5
        if not digit & 0x20:
            if digit & 0x10:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError(counts)
    return runs

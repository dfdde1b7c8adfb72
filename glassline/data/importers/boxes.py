"""Boxes of objects: checked against their image, and what they make the image's class."""

import math
from typing import Any

#: By how many pixels a box may stick out of its image before it is an error: tools round differently.
BOX_SLACK_PX = 1.0


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
    return clipped, ""


def image_label(objects: list[dict[str, Any]], clean_class: str) -> str:
    """Return the class of a whole image: the defect class with the largest area of boxes, else the clean class."""
    area: dict[str, float] = {}
    for item in objects:
        if item["label"] != clean_class:
            area[item["label"]] = area.get(item["label"], 0.0) + item["bbox"][2] * item["bbox"][3]
    return min(area, key=lambda label: (-area[label], label)) if area else clean_class

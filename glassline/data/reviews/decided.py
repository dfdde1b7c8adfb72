"""What was decided on a candidate, as whoever cuts candidates reads it from the row of its image."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glassline.data.reviews.items import SAME_PLACE, BoxPx, same_place


@dataclass(frozen=True)
class Decided:
    """A decision, and the class that it came to; "" for an image as a whole, whose row has it."""

    decision: str
    label: str = ""


class DecidedOn:
    """The decisions on an image and on its candidates."""

    def __init__(self, image: Mapping[Any, Any]) -> None:
        """Read the column `reviews` of a row, which a table without decisions lacks."""
        told = json.loads(image.get("reviews") or "[]")
        self._whole = next((Decided(one["decision"]) for one in reversed(told) if one["box"] is None), None)
        self._placed = [(tuple(one["box"]), Decided(one["decision"], one["label"])) for one in told if one["box"]]

    def at(self, box: BoxPx) -> Decided | None:
        """Return what was decided on a candidate (x, y, width, height), None where nothing was."""
        near = [(same_place(place, box), decided) for place, decided in self._placed]
        share, decided = max(near, key=lambda one: one[0], default=(0.0, None))
        return decided if share >= SAME_PLACE else self._whole

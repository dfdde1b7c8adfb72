"""The id of a sample that is reviewed: it says which image, where on it, and of which content.

`tiles/A-07.png@120.44.31.18~9f2c01ab` is what was seen at x 120, y 44, 31 px wide and 18 px high of an image whose
SHA-256 begins with 9f2c01ab. Without a place it is the image as a whole. Such an id needs no other file beside it,
and still holds when candidates are found by other settings. As a file name it survives every labelling software.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glassline.errors import DataError

BoxPx = tuple[int, int, int, int]

#: Value of `same_place` from which two boxes are one place.
SAME_PLACE = 0.5

_ID = re.compile(r"(?P<image>.+?)(?:@(?P<box>-?\d+\.-?\d+\.\d+\.\d+))?~(?P<sha>[0-9a-f]{8})", re.DOTALL)
_KEPT = re.compile(r"[^A-Za-z0-9.@~-]")
_ESCAPED = re.compile(r"((?:_[0-9A-F]{2})+)")
_LONGEST = 200  # characters of a file name; most file systems take 255 bytes


@dataclass(frozen=True)
class Item:
    """A sample to decide on.

    Attributes:
        image: Id of its image.
        sha8: First eight hex digits of the image's SHA-256.
        box_px: x, y, width, height of the candidate on the image; None where the image is judged as a whole.
    """

    image: str
    sha8: str
    box_px: BoxPx | None = None

    @property
    def identity(self) -> str:
        """The id."""
        place = "" if self.box_px is None else f"@{'.'.join(map(str, self.box_px))}"
        return f"{self.image}{place}~{self.sha8}"

    @property
    def file_name(self) -> str:
        """Name of its picture: letters, digits and `.@~-_` only; `_` and two hex digits stand for any other byte.

        Raises:
            DataError: The image's id is too long for a file name.
        """
        escaped = _KEPT.sub(lambda found: "".join(f"_{byte:02X}" for byte in found[0].encode()), self.identity)
        if len(escaped) > _LONGEST:
            raise DataError(
                f"an image that is reviewed must have an id of at most {_LONGEST} plain characters, got "
                f"{self.image!r}; rename it"
            )
        return f"{escaped}.png"


def parse_item(identity: str) -> Item | None:
    """Return the sample that an id names, None for what is no id."""
    found = _ID.fullmatch(identity)
    if found is None:
        return None
    box: Any = tuple(map(int, found["box"].split("."))) if found["box"] else None
    return Item(found["image"], found["sha"], box)


def item_of_file(name: str) -> Item | None:
    """Return the sample whose picture has a file name, None for any other file."""
    stem = name.replace("\\", "/").rpartition("/")[2].removesuffix(".png")
    try:
        return parse_item(_ESCAPED.sub(lambda found: bytes.fromhex(found[1].replace("_", "")).decode(), stem))
    except UnicodeDecodeError:
        return None


def image_item(image: Mapping[Any, Any]) -> Item:
    """Return the sample that a row of a table of images is as a whole."""
    return Item(str(image["id"]), str(image["sha256"])[:8])


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the shared area of two boxes (x, y, width, height) over that of the smaller one, 0 to 1."""
    shared = _shared(one, other)
    return shared / min(one[2] * one[3], other[2] * other[3]) if shared else 0.0


def same_place(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the shared area of two boxes over that of both together, 0 to 1."""
    shared = _shared(one, other)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared) if shared else 0.0


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)

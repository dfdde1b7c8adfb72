"""The pixels of a unit as a model looks at them, and where they lie on the glass.

Shapes: H x W pixels.
"""

from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from glassline.data.image_windows import open_image
from glassline.data.images import read_grey
from glassline.deploy.inspection.lines import Image
from glassline.deploy.inspection.units import ImageUnit, Unit, ZoneUnit
from glassline.vision.zone_images import read_zone


@dataclass(frozen=True)
class Seen:
    """A grey image and what is known of it.

    Attributes:
        unit: Which one.
        grey_HW: Grey levels 0 to 255.
        x_mm: Where its first pixel lies on the glass, along its rows; NaN where unknown.
        y_mm: The same along its columns.
        pitch_um: Pixel pitch, NaN where unknown.
        product: Product of a capture, else "".
        cycle: Its product cycle.
        more: What an inspector found while it read ahead.
    """

    unit: Unit
    grey_HW: Image
    x_mm: float = nan
    y_mm: float = nan
    pitch_um: float = nan
    product: str = ""
    cycle: str = ""
    more: Any = None

    @property
    def picture_name(self) -> str:
        """Name of its overlay, without what tells it from those of the same name."""
        if isinstance(self.unit, ZoneUnit):
            return self.unit.ref.image_name
        return picture_name(self.unit)


def picture_name(unit: Unit) -> str:
    """Return the name of an image's file with plain letters only."""
    stem = unit.name.rpartition("/")[2].rpartition(".")[0] or unit.name.rpartition("/")[2]
    return "".join(one if one.isalnum() or one in "._-" else "_" for one in stem)[:80] or "image"


def see(unit: Unit, depth_window: tuple[int, int] | None, light_state: int | None) -> Seen:
    """Read a unit in grey, as the pipeline reads it.

    Args:
        unit: An image or a zone.
        depth_window: Grey levels that become 0 and 255 where there are more than 8 bit.
        light_state: Light state of captures to look at; None takes the maximum over all.

    Raises:
        DataError: It cannot be read; names it.
        StorageError: Its place does not answer.
    """
    if isinstance(unit, ZoneUnit):
        grey_HW, meta = read_zone(unit.captures, unit.ref, depth_window, light_state), unit.captures.meta(unit.ref)
        return Seen(unit, grey_HW, meta.stage_x_mm, meta.stage_y_mm, meta.pitch_um, meta.product, meta.cycle)
    path = image_path(unit)
    if path.suffix.lower() == ".npy":
        return Seen(unit, open_image(path, False, depth_window).whole())
    return Seen(unit, read_grey(path, depth_window))


def image_path(unit: Unit) -> Path:
    """Return the file of an image."""
    assert isinstance(unit, ImageUnit), "a broken unit raises at its hash, a glass is for system C alone"
    return unit.path

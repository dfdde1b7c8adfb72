"""How a zone of a capture was taken, and how it is named.

Shapes: S light states x H x W pixels, uint16.
"""

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from glassline.errors import DataError
from glassline.settings import Settings

#: `clean`: the glass as it leaves the washer. `marked`: after the inspector's pen.
Kind = Literal["clean", "marked"]

#: Colour filter of the sensor, first two pixels of the first two rows; `mono` has none.
Pattern = Literal["mono", "GRBG", "RGGB", "GBRG", "BGGR"]

#: A glass id is a folder name, an object key and part of an image name.
GLASS_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"

_ARRAY = re.compile(r"^(clean|marked)-(\d{2,})$")
_IMAGE = re.compile(r"^(?P<glass>.+)_(?P<kind>clean|marked)_(?P<zone>\d{2,})$")


class ZoneMeta(Settings):
    """How one zone was taken; the attributes of its array."""

    product: str = Field(min_length=1, description="product name")
    cycle: str = Field(min_length=1, description="product cycle")
    glass: str = Field(pattern=GLASS_ID, description="glass id, unique in its captures")
    kind: Kind = Field(description="clean, or marked by the inspector's pen")
    zone: int = Field(ge=0, le=9999, description="zone index on the glass")
    stage_x_mm: float = Field(description="place on the glass of the zone's first pixel, along its rows")
    stage_y_mm: float = Field(description="place on the glass of the zone's first pixel, along its columns")
    exposure_us: tuple[float, ...] = Field(min_length=1, description="exposure of each light state")
    gain_db: float = Field(ge=0, description="gain of the camera")
    azimuths_deg: tuple[float, ...] = Field(
        min_length=1, description="azimuth of each light state, modulo 180: its two LED groups face each other"
    )
    camera_model: str = Field(description="camera model")
    camera_serial: str = Field(description="camera serial number")
    pattern: Pattern = Field(description="colour filter of the sensor")
    bit_depth: int = Field(ge=8, le=16, description="significant bits of a pixel")
    pitch_um: float = Field(gt=0, description="pixel pitch on the glass")
    overlap_px: int = Field(ge=0, description="overlap with the neighbouring zone")
    taken_utc: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", description="when it was taken, UTC")

    @model_validator(mode="after")
    def _one_exposure_a_state(self) -> "ZoneMeta":
        if len(self.exposure_us) != len(self.azimuths_deg):
            raise ValueError(
                f"exposure_us and azimuths_deg must have one value per light state, got {len(self.exposure_us)} and "
                f"{len(self.azimuths_deg)}; mend the rig's settings"
            )
        return self

    @property
    def ref(self) -> "ZoneRef":
        """The zone's name in its captures."""
        return ZoneRef(self.glass, self.kind, self.zone)


@dataclass(frozen=True, order=True)
class ZoneRef:
    """Name of one zone of one glass."""

    glass: str
    kind: Kind
    zone: int

    @property
    def path(self) -> str:
        """Where its array lies in the captures: `G0001.zarr/clean-03`."""
        return f"{self.glass}.zarr/{self.kind}-{self.zone:02d}"

    @property
    def image_name(self) -> str:
        """Name of the zone's picture for people and labelling software, without suffix: `G0001_clean_03`."""
        return f"{self.glass}_{self.kind}_{self.zone:02d}"

    @classmethod
    def of_path(cls, path: str) -> "ZoneRef":
        """Return the zone that a path names.

        Raises:
            DataError: The path names none.
        """
        glass, _, array = path.rpartition(".zarr/")
        found = _ARRAY.match(array)
        if not found or not re.match(GLASS_ID, glass):
            raise DataError(f"a zone must be named like G0001.zarr/clean-03, got {path!r}; mend the reference")
        return cls(glass, "clean" if found[1] == "clean" else "marked", int(found[2]))

    @classmethod
    def of_image_name(cls, name: str) -> "ZoneRef":
        """Return the zone that a picture's name names, with or without suffix.

        Raises:
            DataError: The name is not one that `image_name` gives.
        """
        found = _IMAGE.match(re.sub(r"\.(png|tiff?|jpe?g|bmp)$", "", name, flags=re.IGNORECASE))
        if not found or not re.match(GLASS_ID, found["glass"]):
            raise DataError(f"a zone's picture must be named like G0001_marked_03.png, got {name!r}; rename it")
        return cls(found["glass"], "clean" if found["kind"] == "clean" else "marked", int(found["zone"]))

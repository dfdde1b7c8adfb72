"""Captures of many glasses below one location: one Zarr v3 group per glass, one array per zone.

    CAPTURES/G0001.zarr/zarr.json                  the group
    CAPTURES/G0001.zarr/clean-03/zarr.json         the array; its attributes are `ZoneMeta`
    CAPTURES/G0001.zarr/clean-03/c/...             chunks of all light states of a window
    CAPTURES/G0001.zarr/clean-03/manifest.json     SHA-256 and size of each file above; written last

A zone is there when its manifest is: a killed capture or upload leaves whole zones or nothing.

Shapes: S light states x H x W pixels, uint16.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glassline.data.captures.meta import Kind, ZoneMeta, ZoneRef
from glassline.data.location import Location

Frames = npt.NDArray[np.uint16]

#: Edge of a chunk; a chunk holds every light state of its window.
CHUNK_PX = 512


@dataclass(frozen=True)
class Window:
    """A window of a zone in pixels."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int


class Captures:
    """Read and write zones; every read checks the chunks' checksums."""

    def __init__(self, location: Location) -> None:
        """Remember where; nothing is contacted yet."""
        self.location = location

    def zones(self, glass: str | None = None, kind: Kind | None = None) -> list[ZoneRef]:
        """Return the whole zones, sorted; of one glass or one kind when given."""
        raise NotImplementedError

    def __contains__(self, ref: ZoneRef) -> bool:
        """Return whether the whole zone is there."""
        raise NotImplementedError

    def meta(self, ref: ZoneRef) -> ZoneMeta:
        """Return how a zone was taken.

        Raises:
            DataError: The zone is missing or its attributes break a rule; names the zone.
        """
        raise NotImplementedError

    def shape(self, ref: ZoneRef) -> tuple[int, int, int]:
        """Return light states, height and width in px."""
        raise NotImplementedError

    def read(self, ref: ZoneRef, window: Window | None = None) -> Frames:
        """Return the frames (S, H, W) of a zone or of a window of it.

        Raises:
            DataError: The zone is missing, the window lies outside it, or a chunk is damaged; names the zone.
            StorageError: The place does not answer.
        """
        raise NotImplementedError

    def write(self, meta: ZoneMeta, frames_SHW: Frames) -> None:
        """Write a zone, whole or not at all; an existing one is refused.

        Raises:
            DataError: Frames and meta do not agree, a pixel has more significant bits than stated, or the zone exists.
            StorageError: The disk is full or refuses.
        """
        raise NotImplementedError

    def content_hash(self, refs: list[ZoneRef] | None = None) -> str:
        """Return one SHA-256 over the manifests of the zones (all by default); reads no pixel.

        Raises:
            DataError: There is no zone, or a manifest contradicts itself.
        """
        raise NotImplementedError

    def verify(self, ref: ZoneRef) -> list[str]:
        """Return what is wrong with a zone: every byte is read and compared with its manifest; [] when nothing is."""
        raise NotImplementedError


def open_captures(url: str | Path) -> Captures:
    """Return the captures below a folder or an S3 URL."""
    raise NotImplementedError

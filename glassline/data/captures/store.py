"""Captures of many glasses below one location: one Zarr v3 group per glass, one array per zone.

    CAPTURES/G0001.zarr/zarr.json                  the group
    CAPTURES/G0001.zarr/clean-03/zarr.json         the array; its attributes are `ZoneMeta`
    CAPTURES/G0001.zarr/clean-03/c/...             chunks of all light states of a window
    CAPTURES/G0001.zarr/clean-03/manifest.json     SHA-256 and size of each file above; written last

A zone is there when its manifest is: a killed capture or upload leaves whole zones or nothing.

Shapes: S light states x H x W pixels, uint16.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from glassline.data.captures.chunks import CHUNK_PX, Frames, Grid, decode, in_parallel
from glassline.data.captures.manifest import MANIFEST, FileSum, Manifest
from glassline.data.captures.meta import Kind, ZoneMeta, ZoneRef
from glassline.data.captures.window import Window, check_inside, copy_overlap
from glassline.data.captures.zone_writer import GROUP, write_zone
from glassline.data.location import Location, open_location
from glassline.errors import DataError, StorageError

__all__ = ["CHUNK_PX", "Captures", "Frames", "Window", "open_captures"]

#: Zones whose metadata stay in memory.
_KEPT = 4096


class Captures:
    """Read and write zones; every read checks the chunks' checksums.

    Safe to share between threads, and to send to other processes.
    """

    def __init__(self, location: Location) -> None:
        """Remember where; nothing is contacted yet."""
        self.location = location
        self._opened: dict[ZoneRef, _Opened] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"location": self.location, "_opened": {}}

    def zones(self, glass: str | None = None, kind: Kind | None = None) -> list[ZoneRef]:
        """Return the whole zones, sorted; of one glass or one kind when given."""
        return [ref for ref, whole in sorted(self._found(glass).items()) if whole and kind in (None, ref.kind)]

    def unfinished(self, glass: str | None = None) -> list[ZoneRef]:
        """Return the zones with files but no manifest, sorted: an upload that has not ended, or a lost manifest."""
        return [ref for ref, whole in sorted(self._found(glass).items()) if not whole]

    def __contains__(self, ref: ZoneRef) -> bool:
        """Return whether the whole zone is there."""
        return self.location.exists(f"{ref.path}/{MANIFEST}")

    def meta(self, ref: ZoneRef) -> ZoneMeta:
        """Return how a zone was taken.

        Raises:
            DataError: The zone is missing or its attributes break a rule; names the zone.
        """
        return self._open(ref).meta

    def shape(self, ref: ZoneRef) -> tuple[int, int, int]:
        """Return light states, height and width in px."""
        return self._open(ref).grid.shape_SHW

    def read(self, ref: ZoneRef, window: Window | None = None) -> Frames:
        """Return the frames (S, H, W) of a zone or of a window of it.

        Raises:
            DataError: The zone is missing, the window lies outside it, or a chunk is damaged; names the zone.
            StorageError: The place does not answer.
        """
        grid = self._open(ref).grid
        states, height_px, width_px = grid.shape_SHW
        chosen = window or Window(0, 0, width_px, height_px)
        check_inside(ref, chosen, height_px, width_px)
        frames_SHW = np.empty((states, chosen.height_px, chosen.width_px), np.uint16)

        def fill(chunk: tuple[str, int, int]) -> None:
            name, y_px, x_px = chunk
            copy_overlap(self._chunk(ref, name, grid), y_px, x_px, frames_SHW, chosen)

        in_parallel(fill, grid.chunks(chosen.y_px, chosen.x_px, chosen.height_px, chosen.width_px))
        return frames_SHW

    def write(self, meta: ZoneMeta, frames_SHW: Frames) -> None:
        """Write a zone, whole or not at all; an existing one is refused.

        Raises:
            DataError: Frames and meta do not agree, a pixel has more significant bits than stated, or the zone exists.
            StorageError: The disk is full or refuses.
        """
        write_zone(self.location, meta, frames_SHW)
        self._opened.pop(meta.ref, None)

    def content_hash(self, refs: list[ZoneRef] | None = None) -> str:
        """Return one SHA-256 over the manifests of the zones (all by default); reads no pixel.

        Raises:
            DataError: There is no zone, or a manifest contradicts itself.
        """
        chosen = sorted(set(self.zones() if refs is None else refs))
        if not chosen:
            raise DataError(f"captures must have at least one whole zone, got none below {self.location.url}; check it")
        manifests = in_parallel(self._manifest, chosen)
        lines = [f"{manifest.zone}\0{manifest.sha256}\n" for manifest in manifests]
        return FileSum.of("".join(lines).encode()).sha256

    def verify(self, ref: ZoneRef) -> list[str]:
        """Return what is wrong with a zone: every byte is read and compared with its manifest; [] when nothing is."""
        try:
            files = self._manifest(ref).files
        except DataError as error:
            return [str(error)]
        wrong = self._verify_group(ref.glass)
        place = self.location.below(ref.path)
        there = {entry.name for entry in place.entries()} - {MANIFEST}
        wrong += [f"{ref.path}/{name} is missing" for name in sorted(files.keys() - there)]
        wrong += [f"{ref.path}/{name} is not in the manifest" for name in sorted(there - files.keys())]
        common = sorted(files.keys() & there)
        sums = in_parallel(lambda name: FileSum.of(place.read(name)), common)
        changed = [name for name, found in zip(common, sums, strict=True) if found != files[name]]
        return wrong + [f"{ref.path}/{name} has changed since it was written" for name in changed]

    def _verify_group(self, glass: str) -> list[str]:
        name = f"{glass}.zarr/zarr.json"
        if not self.location.exists(name):
            return [f"{name} is missing"]
        return [] if self.location.read(name) == GROUP else [f"{name} has changed since it was written"]

    def _found(self, glass: str | None) -> dict[ZoneRef, bool]:
        """Return every zone that has a file, and whether it has its manifest."""
        place, prefix = (self.location.below(f"{glass}.zarr"), f"{glass}.zarr/") if glass else (self.location, "")
        found: dict[ZoneRef, bool] = {}
        for entry in place.entries():
            group, array, name, *_ = *f"{prefix}{entry.name}".split("/"), "", ""
            if name and (ref := _named(f"{group}/{array}")):
                found[ref] = found.get(ref, False) or name == MANIFEST
        return found

    def _manifest(self, ref: ZoneRef) -> Manifest:
        try:
            return Manifest.parse(ref.path, self.location.read(f"{ref.path}/{MANIFEST}"))
        except StorageError:
            if ref in self:
                raise
            place = self.location.url
            raise DataError(f"{ref.path} must be a whole zone below {place}, got none; check the reference") from None

    def _file(self, ref: ZoneRef, name: str) -> bytes:
        try:
            return self.location.read(f"{ref.path}/{name}")
        except StorageError:
            if self.location.exists(f"{ref.path}/{name}"):
                raise
            raise _damaged(ref, f"no {name}") from None

    def _chunk(self, ref: ZoneRef, name: str, grid: Grid) -> Frames:
        try:
            return decode(self._file(ref, name), grid)
        except DataError:
            raise
        # RuntimeError: what Blosc says of bytes that it did not make.
        except (ValueError, RuntimeError) as error:
            raise _damaged(ref, f"a damaged {name} ({error})") from error

    def _open(self, ref: ZoneRef) -> "_Opened":
        opened = self._opened.get(ref)
        if opened is None:
            files = self._manifest(ref).files
            content = self._file(ref, "zarr.json")
            if FileSum.of(content) != files.get("zarr.json"):
                raise _damaged(ref, "a zarr.json that was changed")
            opened = _Opened.parse(ref, content)
            if len(self._opened) >= _KEPT:
                self._opened.clear()
            self._opened[ref] = opened
        return opened


def open_captures(url: str | Path) -> Captures:
    """Return the captures below a folder or an S3 URL."""
    return Captures(open_location(url))


@dataclass(frozen=True)
class _Opened:
    meta: ZoneMeta
    grid: Grid

    @classmethod
    def parse(cls, ref: ZoneRef, content: bytes) -> "_Opened":
        try:
            told = json.loads(content)
            opened = cls(ZoneMeta.model_validate(told["attributes"]), Grid.parse(told))
        except (ValidationError, ValueError, KeyError, TypeError, IndexError) as error:
            raise _damaged(ref, f"a zarr.json that breaks a rule ({' '.join(str(error).split())})") from error
        if opened.meta.ref != ref:
            raise _damaged(ref, f"the zarr.json of {opened.meta.ref.path}")
        return opened


def _named(path: str) -> ZoneRef | None:
    """Return the zone that a path names; None when it is something else."""
    try:
        ref = ZoneRef.of_path(path)
    except DataError:
        return None
    return ref if ref.path == path else None


def _damaged(ref: ZoneRef, got: str) -> DataError:
    return DataError(
        f"zone {ref.kind}-{ref.zone:02d} of glass {ref.glass} must be as it was written, got {got}; "
        "see `glassline captures verify`, then copy or capture it again"
    )

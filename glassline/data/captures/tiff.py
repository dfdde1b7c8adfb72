"""Zones as plain TIFF files: one a light state, uncompressed, with the zone's meta in its description.

    OUT/G0001/clean-03/0.tif     light state 0

Any program opens them, or maps them into memory; `glassline captures import` takes them back bit for bit.
"""

import json
from pathlib import Path

import tifffile
from pydantic import ValidationError

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures
from glassline.data.storage import written_whole
from glassline.errors import DataError

_KEY = "glassline_zone"


def export_zone(captures: Captures, ref: ZoneRef, out: Path) -> Path:
    """Write a zone's frames as TIFF, all or none; an older export of it is replaced.

    Args:
        captures: Where the zone lies.
        ref: The zone.
        out: Folder of the export.

    Returns:
        The folder of the zone's files.

    Raises:
        DataError: The zone is missing or damaged.
        StorageError: The disk is full or refuses.
    """
    meta, frames_SHW = captures.meta(ref), captures.read(ref)
    target = out / ref.glass / f"{ref.kind}-{ref.zone:02d}"
    told = json.dumps({_KEY: meta.model_dump(mode="json")})
    pixels_per_cm = 1e4 / meta.pitch_um
    with written_whole(target) as beside:
        beside.mkdir()
        for state, frame_HW in enumerate(frames_SHW):
            tifffile.imwrite(
                beside / f"{state}.tif", frame_HW, photometric="minisblack", description=told, metadata=None,
                resolution=(pixels_per_cm, pixels_per_cm), resolutionunit="CENTIMETER",
            )  # fmt: skip
    return target


def told_meta(path: Path) -> ZoneMeta | None:
    """Return the meta that an exported TIFF carries; None for a file of another program.

    Raises:
        DataError: It carries one that breaks a rule.
    """
    if path.suffix.lower() not in (".tif", ".tiff"):
        return None
    try:
        with tifffile.TiffFile(path) as file:
            told = json.loads(file.pages.first.description)
        return ZoneMeta.model_validate(told[_KEY])
    except ValidationError as error:
        raise DataError(
            f"{path} must describe its zone as it was exported, got {error.errors()[0]['msg']}; export it again"
        ) from None
    except (ValueError, KeyError, TypeError):
        return None

"""Views of the line: images that show the same place under the same light, in the order in which they were taken."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.captures.zone_format import ZoneFormat
from glassline.data.images import IMAGE_SUFFIXES
from glassline.data.location import open_location
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.bayer import debayer_grey
from glassline.vision.view_spool import Levels, ViewImages, view_of_files

_SUFFIXES = (*IMAGE_SUFFIXES, ".npy")


def open_views(place: str | Path) -> list[ViewImages]:
    """Return the views below a place; nothing is decoded yet.

    Captures have a view per zone and light state, glasses in order of their time; a folder that holds images is one
    view, in order of the files' names; a folder of such folders has a view per subfolder.

    Args:
        place: Folder or S3 URL.

    Raises:
        DataError: There is no view.
    """
    if holds_captures(place):
        return list(_views_of_captures(open_captures(str(place)), str(place)))
    found = _in_s3(str(place)) if "://" in str(place) else _in_folder(Path(place))
    # Subfolders of a folder with images of its own hold something else, such as labels.
    chosen = found[:1] if found[0][1] else [one for one in found if one[1]]
    if not chosen:
        raise DataError(
            f"{place} must hold images ({', '.join(_SUFFIXES)}), subfolders with images, or captures, got none; check "
            "the folder"
        )
    return [view_of_files(name, files, open_store(place)) for name, files in chosen]


def holds_captures(place: str | Path) -> bool:
    """Return whether captures lie in a folder or S3 prefix, instead of image files."""
    if "://" not in str(place):
        return any(Path(place).glob("*.zarr"))
    return any(name.endswith(".zarr") for name in open_location(place).folders())


def _in_folder(folder: Path) -> list[tuple[str, list[str]]]:
    """Return the images of a folder, then of each subfolder, as names from the folder on."""
    if not folder.is_dir():
        raise DataError(f"images must lie in a folder, got {folder}, which is none; name the folder")
    below = [one for one in sorted(folder.iterdir()) if one.is_dir() and not one.name.startswith(".")]
    return [
        (one.resolve().name if one == folder else one.name, [str(path.relative_to(folder)) for path in _images(one)])
        for one in (folder, *below)
    ]


def _in_s3(url: str) -> list[tuple[str, list[str]]]:
    """Return the same of an S3 prefix."""
    found: dict[str, list[str]] = {"": []}
    for entry in open_location(url).entries():
        folder, _, file = entry.name.rpartition("/")
        if "/" not in folder and PurePosixPath(file).suffix.lower() in _SUFFIXES:
            found.setdefault(folder, []).append(entry.name)
    return [(folder or url.rstrip("/").rpartition("/")[2], names) for folder, names in sorted(found.items())]


def _images(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def _views_of_captures(captures: Captures, place: str) -> Iterator[ViewImages]:
    refs = captures.zones(kind="clean") or captures.zones(kind="marked")
    if not refs:
        raise DataError(f"captures must have at least one whole zone, got none below {place}; check it")
    for zone in sorted({ref.zone for ref in refs}):
        of_zone = sorted((ref for ref in refs if ref.zone == zone), key=lambda ref: captures.meta(ref).taken_utc)
        arranged = ZoneFormat.of(captures.meta(of_zone[0]))
        for state, azimuth in enumerate(arranged.azimuths_deg):
            yield _view_of_zone(captures, of_zone, arranged, state, f"zone-{zone:02d}-light-{azimuth:g}")


def _view_of_zone(captures: Captures, refs: list[ZoneRef], arranged: ZoneFormat, state: int, name: str) -> ViewImages:
    def read(number: int) -> Levels:
        meta = captures.meta(refs[number])
        frame_HW = captures.read(refs[number])[arranged.order(meta)[state]]
        grey_HW = debayer_grey(frame_HW, meta.pattern)
        return np.asarray(grey_HW, np.uint8 if meta.bit_depth == 8 else np.uint16)

    def bands(number: int, top: int, bottom: int) -> Levels:
        raise AssertionError("captures are decoded once")

    return ViewImages(name, [ref.path for ref in refs], read, lambda number: None, bands)

"""Which units there are in files, folders and captures; nothing on the disk stops the search."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from glassline.data.captures.meta import Kind as CaptureKind
from glassline.data.captures.store import Captures, open_captures
from glassline.data.images import IMAGE_SUFFIXES
from glassline.deploy.inspection.units import (
    BrokenUnit,
    GlassUnit,
    ImageUnit,
    Unit,
    ZoneUnit,
    plain,
    unfinished_reason,
)

#: What is taken for an image in a folder; a file that is named is taken whatever its name.
SUFFIXES = (*IMAGE_SUFFIXES, ".npy")
#: Zones that are judged: the others show the inspector's pen.
JUDGED: CaptureKind = "clean"


def list_units(places: Sequence[str], by_glass: bool) -> Iterator[Unit]:
    """Yield the units of files, folders of images (with the folders in them), and captures, each once.

    Args:
        places: Paths, and URLs of captures; `G0001.zarr` in captures is one glass.
        by_glass: Whether a glass is one unit; else each of its zones is.
    """
    seen: set[str] = set()
    for place in places:
        for unit in _of_place(place, by_glass):
            if unit.identity not in seen:
                seen.add(unit.identity)
                yield unit


def _of_place(place: str, by_glass: bool) -> Iterator[Unit]:
    glass = place.rstrip("/").rpartition("/")[2]
    if glass.endswith(".zarr"):
        parent = place.rstrip("/").removesuffix(glass).rstrip("/") or ("/" if place.startswith("/") else ".")
        yield from _captured(open_captures(parent), by_glass, glass.removesuffix(".zarr"))
    elif "://" in place:
        yield from _captured(open_captures(place), by_glass, None)
    elif os.path.isdir(place):
        if any(name.endswith(".zarr") for name in _names(place)):
            yield from _captured(open_captures(place), by_glass, None)
        yield from _images(Path(place), set())
    else:
        yield ImageUnit(Path(place))


def _names(folder: str | Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []  # told by `_images`


def _images(folder: Path, above: set[tuple[int, int]]) -> Iterator[Unit]:
    """Yield the images below a folder, sorted; links are followed, in circles once."""
    try:
        told = os.stat(folder)
        here = told.st_dev, told.st_ino
        names = sorted(os.listdir(folder))
    except OSError as error:
        if error.errno != errno.ENOENT:
            yield _broken(folder, "a folder", error)
        return
    if here in above:
        return
    for name in names:
        if name.startswith(".") or name.endswith(".zarr"):
            continue
        path = folder / name
        if path.suffix.lower() in SUFFIXES and not os.path.isdir(path):
            yield ImageUnit(path)  # whoever reads it says what is wrong with it
            continue
        try:
            below = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP):  # links to nothing
                yield _broken(path, "a folder or file", error)
            continue
        if below:
            yield from _images(path, above | {here})


def _broken(path: Path, what: str, error: OSError) -> BrokenUnit:
    reason = f"{plain(str(path))} must be {what} that can be read ({error.strerror}); check it"
    return BrokenUnit(plain(str(path)), reason, os.path.abspath(path))


def _captured(captures: Captures, by_glass: bool, glass: str | None) -> Iterator[Unit]:
    whole = captures.zones(glass, JUDGED)
    unfinished = [ref for ref in captures.unfinished(glass) if ref.kind == JUDGED]
    if by_glass:
        for name in sorted({ref.glass for ref in [*whole, *unfinished]}):
            here, torn = (tuple(ref for ref in refs if ref.glass == name) for refs in (whole, unfinished))
            yield GlassUnit(captures, name, here, torn)
        return
    yield from (ZoneUnit(captures, ref) for ref in whole)
    for ref in unfinished:
        identity = ZoneUnit(captures, ref).identity
        yield BrokenUnit(ref.path, unfinished_reason(ref), identity, "zone")

"""Images that lie beside labelled ones and that no label speaks of: nobody may have looked at them."""

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.images import IMAGE_SUFFIXES
from glassline.data.location import open_location
from glassline.data.samples import SampleTable
from glassline.errors import DataError

# Layouts whose labels are one file. In the others a folder is the label, or an image without one is refused.
_BY_FILE = ("coco", "cvat", "label-studio")


def unlabelled(table: SampleTable, layout: str) -> list[str]:
    """Return the images below a table's folder, or the clean zones of its captures, that are not in it, sorted.

    Args:
        table: Table of images, as `read_source` returns it.
        layout: The layout that it was read from.

    Raises:
        StorageError: The place does not answer.
    """
    if layout == "captures":
        there = _clean_zones(open_captures(table.root))
    elif layout in _BY_FILE:
        names = (entry.name for entry in open_location(table.root).entries())
        there = (name for name in names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES)
    else:
        return []
    labelled = {posixpath.normpath(name) for name in table.rows["image"]}
    return sorted(set(there) - labelled)


def _clean_zones(captures: Captures) -> Iterator[str]:
    """Yield the references of clean zones that are whole; folders are listed, not the many files in them."""
    for glass in captures.location.folders():
        for zone in captures.location.below(glass).folders():
            try:
                ref = ZoneRef.of_path(f"{glass}/{zone}")
            except DataError:
                continue
            if ref.kind == "clean" and ref in captures:
                yield ref.path

"""Importers: one layout of files on disk becomes a table of images; `read_source` picks by name.

Add a layout: one module with a function (source, problems) -> Layout, one entry in LAYOUTS,
its name in FORMATS of glassline_cli/import_data.py.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from glassline.data.importers.captures import captures_hash, local_label_file, read_captures
from glassline.data.importers.coco import read_coco
from glassline.data.importers.cvat import read_cvat
from glassline.data.importers.dagm import read_dagm
from glassline.data.importers.image_folder import read_image_folder
from glassline.data.importers.label_studio import read_label_studio
from glassline.data.importers.mask_folder import read_mask_folder
from glassline.data.importers.records import Layout, Source
from glassline.data.importers.table import build_table, duplicate_groups
from glassline.data.importers.voc import read_voc
from glassline.data.problems import Problems
from glassline.data.samples import SampleTable
from glassline.data.store import fetched, is_file, place_hash
from glassline.errors import DataError

__all__ = ["LAYOUTS", "duplicate_groups", "folder_and_file", "read_source", "source_hash"]

LAYOUTS: dict[str, Callable[[Source, Problems], Layout]] = {
    "image-folder": read_image_folder,
    "mask-folder": read_mask_folder,
    "dagm": read_dagm,
    "coco": read_coco,
    "voc": read_voc,
    "cvat": read_cvat,
    "label-studio": read_label_studio,
    "captures": read_captures,
}


def source_hash(data: str | Path, layout: str) -> str:
    """Return the SHA-256 of a source: what a run is submitted with and the import compares.

    Args:
        data: What `read_source` takes; of a label file its folder is hashed too, where the images lie. Which of several
            files there is named counts by its content.
        layout: One of LAYOUTS. Of captures the manifests are hashed, not terabytes of pixels.

    Raises:
        StorageError: The source is missing or cannot be read.
        DataError: Labels and captures do not agree.
    """
    if layout == "captures":
        return captures_hash(data)
    folder, name = folder_and_file(data)
    found = place_hash(folder)
    return hashlib.sha256(f"{found}\0{place_hash(data)}".encode()).hexdigest() if name else found


def read_source(
    folder: str | Path,
    layout: str,
    *,
    product: str = "",
    cycle: str = "",
    clean_class: str = "",
    source: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> SampleTable:
    """Read a folder of labelled images as a table of kind `images`.

    References are relative to the folder; nothing is copied. An image's id is its reference. Images of the same
    content become one group. A file `groups.csv` (columns path, group) in the folder names groups; without
    it each image is its own.

    Args:
        folder: Where the images and their labels lie, a folder or S3 URL; for coco, cvat, label-studio and captures the
            label file itself may be given. What lies in S3 is copied to this machine while it is read; the table
            refers to the URL.
        layout: One of LAYOUTS.
        product: Product of images that do not name theirs.
        cycle: Product cycle of images that do not name theirs.
        clean_class: Class of images without a defect. Without it: `control` for coco when it is among the
            categories, the class whose masks are all empty for mask-folder, `clean` for dagm, else none.
        source: Name of the data set kept with each row; the layout's name when empty.
        progress: Called with (images done, images in all).

    Returns:
        Table of images, sorted by id.

    Raises:
        DataError: Records break a rule; names up to ten files, with record and remedy each.
        StorageError: The folder is missing, or S3 does not answer.
    """
    if layout not in LAYOUTS:
        raise DataError(f"format must be one of {', '.join(LAYOUTS)}, got {layout!r}; choose one of them")
    known = {"product": product, "cycle": cycle, "clean_class": clean_class, "name": source or layout}
    if layout == "captures":
        with local_label_file(folder) as file:
            return _read(file, layout, known, progress)
    url, name = folder_and_file(folder)
    with fetched(url) as local:
        table = _read(local / name, layout, known, progress)
    return replace(table, root=url) if "://" in url else table


def folder_and_file(data: str | Path) -> tuple[str, str]:
    """Return a source's folder, and the label file in it that was named, or ""."""
    if "://" not in str(data):
        return (str(Path(data).parent), Path(data).name) if is_file(str(data)) else (str(data), "")
    url = str(data).rstrip("/")
    folder, _, name = url.rpartition("/")
    return (folder, name) if is_file(url) else (url, "")


def _read(path: Path, layout: str, known: dict[str, str], progress: Callable[[int, int], None] | None) -> SampleTable:
    problems = Problems(path)
    given = Source.at(path, layout, **known)
    found = LAYOUTS[layout](given, problems)
    return build_table(given, found, problems, progress)

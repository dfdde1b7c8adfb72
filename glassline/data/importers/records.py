"""What every importer shares: records, and references that stay inside the source."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Self

from glassline.data.images import IMAGE_SUFFIXES
from glassline.data.problems import Problems
from glassline.errors import DataError

# Layouts whose labels are one file, which may itself be named as the source.
_ONE_FILE = ("coco", "cvat", "label-studio", "captures")

# Files that may lie among images without being one.
_DOCUMENTS = (".md", ".txt", ".csv", ".json", ".xml", ".yaml", ".yml", ".html", ".pdf", ".ini", ".db")


@dataclass(frozen=True)
class Source:
    """Where to import from, and what the caller knows about it.

    Attributes:
        root: Absolute folder that references are relative to.
        file: The label file when the caller named one, else None.
        name: Name of the data set, kept in the column `source`.
    """

    root: Path
    file: Path | None
    layout: str
    product: str
    cycle: str
    clean_class: str
    name: str

    @classmethod
    def at(cls, path: Path, layout: str, **known: str) -> Self:
        """Locate the root of a folder, or of the folder that a given label file lies in."""
        if path.is_dir():
            return cls(root=path.resolve(), file=None, layout=layout, **known)
        if layout not in _ONE_FILE:
            raise DataError(f"a source of format {layout} must be a folder, got the file {path}; name its folder")
        return cls(root=path.resolve().parent, file=path.resolve(), layout=layout, **known)

    def images(self, folder: Path, *, deep: bool = False) -> list[Path]:
        """Return image files of a folder, sorted; hidden ones do not count."""
        found = folder.rglob("*") if deep else folder.iterdir()
        return sorted(path for path in found if path.suffix.lower() in IMAGE_SUFFIXES and self._visible(path))

    def foreign(self, folder: Path) -> list[Path]:
        """Return files anywhere in a folder that are neither images we read nor plain documents."""
        known = {*IMAGE_SUFFIXES, *_DOCUMENTS}
        found = (path for path in folder.rglob("*") if path.is_file() and self._visible(path))
        return sorted(path for path in found if path.suffix.lower() not in known)

    def folders(self, folder: Path) -> list[Path]:
        """Return sub-folders, sorted; hidden ones do not count."""
        return sorted(path for path in folder.iterdir() if path.is_dir() and self._visible(path))

    def reference(self, path: Path) -> str:
        """Return a path under root as a relative posix reference."""
        return path.relative_to(self.root).as_posix()

    def _visible(self, path: Path) -> bool:
        return not any(part.startswith(".") for part in path.relative_to(self.root).parts)


@dataclass(frozen=True)
class Header:
    """What is known of an image's pixels without decoding them."""

    width_px: int
    height_px: int
    bit_depth: int
    sha256: str


@dataclass
class Record:
    """One image with what is known about it; references relative to the root."""

    image: str
    label: str
    mask: str = ""
    objects: list[dict[str, Any]] = field(default_factory=list)
    x_mm: float = math.nan
    y_mm: float = math.nan
    zone: str = ""
    pitch_um: float = math.nan
    group: str = ""
    product: str = ""
    cycle: str = ""
    size_px: tuple[int, int] | None = None  # as the labels state it; checked against the file
    header: Header | None = None  # of a zone of captures, which is no file
    per_candidate: bool = False  # without objects too, each candidate is judged and not the image as a whole

    @property
    def objects_json(self) -> str:
        """The objects as JSON, "" where the image is judged as a whole."""
        return json.dumps(self.objects) if self.objects or self.per_candidate else ""


@dataclass
class Layout:
    """What an importer found.

    Attributes:
        records: One per image.
        classes: In the order of the models' outputs; None for the sorted labels.
        clean_class: "" where there is none.
        root: What the records' references are relative to; "" for the source's own folder.
    """

    records: list[Record]
    classes: Sequence[str] | None = None
    clean_class: str = ""
    root: str = ""


def say_foreign(source: Source, folder: Path, problems: Problems) -> None:
    """Note files that look like samples but are in no format that is read."""
    for path in source.foreign(folder):
        formats = ", ".join(IMAGE_SUFFIXES)
        problems.add(source.reference(path), f"an image must be one of {formats}, got {path.suffix!r}; convert it")


def is_file(path: Path) -> bool:
    """Return whether a path from a label file is a file; no, when it cannot even be a path."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def csv_lines(file: Path, columns: Sequence[str], problems: Problems) -> list[tuple[int, dict[str, str]]]:
    """Return (line number, values) of a CSV file, "" for a missing value; none when the file is malformed."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if not set(columns) <= set(reader.fieldnames or []):
                problems.add(
                    file.name, f"must have the columns {', '.join(columns)}, got {reader.fieldnames}; add them"
                )
                return []
            return [(reader.line_num, {name: line[name] or "" for name in columns}) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.add(file.name, f"must be a CSV file in UTF-8 ({error}); save it again")
        return []


def check_reference(root: Path, reference: str) -> str:
    """Return what is wrong with a reference from a label file, "" when it is a file inside the root."""
    path = PurePosixPath(reference)
    if path.is_absolute() or PureWindowsPath(reference).drive or ".." in path.parts:
        return f"a file reference must stay inside the source, got {reference!r}; make it relative to the source"
    if not reference or not is_file(root / path):
        return f"a file reference must name an existing file, got {reference!r}; add the file or delete its record"
    if not (root / path).resolve().is_relative_to(root):
        return f"a file reference must stay inside the source, {reference!r} links outside; copy the file into it"
    return ""

"""From records to a table: headers, hashes, groups."""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pandas as pd

from glassline.data.images import image_header
from glassline.data.importers.records import Header, Layout, Record, Source, check_reference, csv_lines
from glassline.data.names import LONGEST, plain_name
from glassline.data.problems import Problems
from glassline.data.samples import IMAGE_COLUMNS, SampleTable
from glassline.data.storage import sha256_file
from glassline.errors import DataError

_LOG = logging.getLogger(__name__)


def build_table(
    source: Source, found: Layout, problems: Problems, progress: Callable[[int, int], None] | None
) -> SampleTable:
    """Check every record against its files and return the table.

    Raises:
        DataError: Something is wrong with at least one record.
    """
    if not found.records:
        problems.raise_if_any()
        raise DataError(
            f"{source.root} must hold images in the layout {source.layout}, got none; check the path or the format"
        )
    rows: list[dict[str, Any]] = []
    for done, record in enumerate(found.records, start=1):
        row = _row(source, record, problems)
        if row is not None:
            rows.append(row)
        if progress is not None:
            progress(done, len(found.records))
    _check_listed_once(found.records, problems)
    problems.raise_if_any()  # a group without its bad image would only be noise
    _read_groups(source, rows, problems)
    _join_duplicates(rows, problems)
    problems.raise_if_any()
    table = pd.DataFrame(rows, columns=list(IMAGE_COLUMNS)).sort_values("id").reset_index(drop=True)
    clean_class = found.clean_class or source.clean_class
    labels = set(table["label"])
    classes = tuple(found.classes if found.classes is not None else sorted(labels))
    _check_names(source, classes)
    return SampleTable(table, "images", found.root or str(source.root), classes, clean_class)


def _check_names(source: Source, classes: tuple[str, ...]) -> None:
    """Refuse class names that metrics and files cannot tell apart."""
    plain: dict[str, str] = {}
    for name in classes:
        if not 0 < len(name.strip()) <= LONGEST:
            raise DataError(
                f"a class name must have 1 to {LONGEST} characters, got {name!r} in {source.root}; rename it"
            )
        other = plain.setdefault(plain_name(name).lower(), name)
        if other != name:
            raise DataError(
                f"class names must differ in letters, digits, spaces, _, - or ., got {other!r} and {name!r} in "
                f"{source.root}; rename one"
            )


def duplicate_groups(table: SampleTable) -> list[list[str]]:
    """Return the ids of images that share their content, one list for each content."""
    return [sorted(ids) for _, ids in table.rows.groupby("sha256", sort=True)["id"].agg(list).items() if len(ids) > 1]


def _row(source: Source, record: Record, problems: Problems) -> dict[str, Any] | None:
    header = record.header or _file_header(source, record, problems)
    if header is None:
        return None
    if record.size_px not in {None, (header.width_px, header.height_px)}:
        problems.add(record.image, _other_size(header, "its labels state", record.size_px))
        return None
    return {
        "id": record.image, "image": record.image, "label": record.label, "mask": record.mask,
        "objects": record.objects_json, "x_mm": record.x_mm, "y_mm": record.y_mm, "zone": record.zone,
        "pitch_um": record.pitch_um, "group": record.group, "product": record.product or source.product,
        "cycle": record.cycle or source.cycle, "source": source.name, **asdict(header),
    }  # fmt: skip


def _file_header(source: Source, record: Record, problems: Problems) -> Header | None:
    """Check the files that a record names, and read their headers."""
    for reference in filter(None, (record.image, record.mask)):
        problem = check_reference(source.root, reference)
        if problem:
            problems.add(record.image or source.root, problem)
            return None
    try:
        width_px, height_px, bit_depth = image_header(source.root / record.image)
        mask_px = image_header(source.root / record.mask)[:2] if record.mask else (width_px, height_px)
    except DataError as error:
        problems.add(record.image, str(error))
        return None
    header = Header(width_px, height_px, bit_depth, sha256_file(source.root / record.image))
    if mask_px != (width_px, height_px):
        problems.add(record.image, _other_size(header, f"its mask {record.mask} has", mask_px))
        return None
    return header


def _other_size(header: Header, what: str, other_px: tuple[int, int] | None) -> str:
    width_px, height_px = other_px or (0, 0)
    return (
        f"image and labels must be of one size, the image has {header.width_px} x {header.height_px} px, "
        f"{what} {width_px} x {height_px} px; export the labels for this image again"
    )


def _check_listed_once(records: list[Record], problems: Problems) -> None:
    seen: set[str] = set()
    for record in records:
        if record.image in seen:
            problems.add(record.image, "an image must be listed once, got it twice; delete one of the records")
        seen.add(record.image)


def _read_groups(source: Source, rows: list[dict[str, Any]], problems: Problems) -> None:
    """Fill `group` from groups.csv, else leave what the record says, else the image itself."""
    file = source.root / "groups.csv"
    if not file.is_file():
        for row in rows:
            row["group"] = row["group"] or row["id"]
        return
    by_image = {row["image"]: row for row in rows}
    group_of: dict[str, str] = {}
    lines = csv_lines(file, ("path", "group"), problems)
    for number, line in lines:
        image = _by_suffix(line["path"], by_image)
        if not image or not line["group"]:
            problem = "an empty group" if image else "no image of this source"
            problems.add(
                file.name, f"line {number} must give an image a group, {line['path']!r} has {problem}; mend it"
            )
        elif group_of.setdefault(image, line["group"]) != line["group"]:
            problems.add(
                file.name, f"an image must have one group, {image} has {group_of[image]} and {line['group']}; keep one"
            )
    if not lines:
        problems.add(file.name, "must name a group for each image, got no line; fill or delete it")
        return
    for row in rows:
        if row["image"] not in group_of:
            problems.add(file.name, f"every image must have a group, {row['image']} has none; add a line for it")
        row["group"] = group_of.get(row["image"], "")


def _by_suffix(path: str, images: dict[str, Any]) -> str:
    """Return the image whose reference a path ends with, "" when there is none."""
    parts = path.replace("\\", "/").strip("/").split("/")
    return next((tail for start in range(len(parts)) if (tail := "/".join(parts[start:])) in images), "")


def _join_duplicates(rows: list[dict[str, Any]], problems: Problems) -> None:
    """Put images of the same content into one group; the same content in two classes is a problem."""
    same: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        same[row["sha256"]].append(row)
    joined: dict[str, str] = {}

    def representative(group: str) -> str:
        while group in joined:
            group = joined[group]
        return group

    for first, *others in same.values():
        for other in others:
            if other["label"] != first["label"]:
                problems.add(
                    other["image"],
                    f"images of the same content must have one class, this one has {other['label']!r} and "
                    f"{first['image']} has {first['label']!r}; mend one label or delete one image",
                )
                continue
            _LOG.info("%s has the same content as %s; both are in one group", other["image"], first["image"])
            one, two = representative(first["group"]), representative(other["group"])
            if one != two:
                joined[two] = one
    for row in rows:
        row["group"] = representative(row["group"])

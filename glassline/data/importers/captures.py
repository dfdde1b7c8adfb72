"""Captures of the rig with their labels: one record per clean labelled zone.

The source is a label file (see `glassline.data.labels`), or a folder or S3 prefix that holds one as `labels.json`
or `truth.json`. Zones are referenced as `G0001.zarr/clean-03` and stay where the captures are; what the rig
wrote of them (place, pitch, product, cycle) goes into the table. Every candidate of a zone is judged.
"""

import hashlib
import json
import posixpath
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from glassline.data.annotations.coco_objects import read_object
from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.importers.boxes import image_label
from glassline.data.importers.records import Header, Layout, Record, Source
from glassline.data.labels import CONTROL, Labels, ZoneLabels, read_labels
from glassline.data.location import open_location
from glassline.data.problems import Problems
from glassline.data.store import fetched, is_file
from glassline.errors import DataError

#: Names of the label file in a folder: merged labels, or the truth of a simulator.
LABEL_FILES = ("labels.json", "truth.json")

_READERS = 16  # zones whose metadata is asked for at once; an object store answers in milliseconds each


def read_captures(source: Source, problems: Problems) -> Layout:
    """Return one record per labelled zone, classes as the labels order them.

    Raises:
        DataError: The label file breaks a rule, or the captures are no longer those that were labelled.
    """
    assert source.file is not None, "see local_label_file"
    labels = read_labels(source.file)
    captures = open_captures(labels.captures)
    clean_class = source.clean_class or (CONTROL if CONTROL in labels.classes else "")
    with ThreadPoolExecutor(_READERS) as pool:
        refs = [zone.ref for zone in labels.zones]
        for ref, there in zip(refs, pool.map(captures.__contains__, refs), strict=True):
            if not there:
                problems.add(
                    ref.path, f"a labelled zone must be in {labels.captures}, got none; ingest it or drop its labels"
                )
        problems.raise_if_any()
        check_captures(labels, captures)
        written = pool.map(lambda ref: _written(captures, ref), refs)
        records = [
            _record(zone, *of_zone, clean_class, problems) for zone, of_zone in zip(labels.zones, written, strict=True)
        ]
    found = [record for record in records if record is not None]
    return Layout(found, labels.classes, clean_class, captures.location.url)


def check_captures(labels: Labels, captures: Captures) -> str:
    """Return the content hash of the labelled zones.

    Raises:
        DataError: They are not what was labelled.
    """
    found = captures.content_hash([zone.ref for zone in labels.zones])
    if found != labels.captures_hash:
        raise DataError(
            f"the captures in {labels.captures} must be those that were labelled: their hash was "
            f"{labels.captures_hash[:12]}, now it is {found[:12]}; merge the labels again"
        )
    return found


def captures_hash(data: str | Path) -> str:
    """Return one SHA-256 over labels and the captures that they label, wherever both lie; reads manifests, no pixels.

    Raises:
        DataError: The label file breaks a rule, or the captures are no longer those that were labelled.
        StorageError: A place does not answer.
    """
    with local_label_file(data) as file:
        labels = read_labels(file)
        content = check_captures(labels, open_captures(labels.captures))
        told = labels.model_dump_json(exclude={"captures"})
        return hashlib.sha256(f"{told}\0{content}".encode()).hexdigest()


@contextmanager
def local_label_file(data: str | Path) -> Iterator[Path]:
    """Yield the label file of a source; one in an object store is copied here while it is read.

    Args:
        data: Label file, or folder that holds one, or the S3 URL of either.

    Raises:
        DataError: There is none.
    """
    url = str(data).rstrip("/")
    if not (url.endswith(".json") or is_file(url)):
        place = open_location(url)
        url = f"{url}/{_the_one([name for name in LABEL_FILES if place.exists(name)], url)}"
    with fetched(url, "a label file") as file:
        if "://" in url:
            _name_captures_by_url(file, url.rpartition("/")[0])
        yield file


def _name_captures_by_url(file: Path, folder: str) -> None:
    """Let the copy of a label file name the captures that the original names from its own folder on.

    Raises:
        DataError: It names a folder of some machine.
    """
    labels, named = read_labels(file), json.loads(file.read_bytes())["captures"]
    if "://" in named:
        return
    if posixpath.isabs(named):
        raise DataError(
            f"{file} must name its captures by URL, or from its own folder on, got {named}; merge the labels again"
        )
    scheme, mark, path = folder.rpartition("://")
    url = scheme + mark + posixpath.normpath(posixpath.join(path, named))
    labels.model_copy(update={"captures": url}).write(file)


def _the_one(found: list[str], place: str) -> str:
    if len(found) != 1:
        raise DataError(
            f"{place} must hold one label file, {' or '.join(LABEL_FILES)}, got {found or 'none'}; name the file itself"
        )
    return found[0]


def _written(captures: Captures, ref: ZoneRef) -> tuple[ZoneMeta, Header]:
    """Return what the rig wrote of a zone."""
    meta = captures.meta(ref)
    _, height_px, width_px = captures.shape(ref)
    return meta, Header(width_px, height_px, meta.bit_depth, captures.content_hash([ref]))


def _record(zone: ZoneLabels, meta: ZoneMeta, header: Header, clean_class: str, problems: Problems) -> Record | None:
    """Return the record of a zone; what is wrong with its labels is noted."""
    objects: list[dict[str, Any]] = []
    for number, item in enumerate(zone.objects):
        stated = {"bbox": list(item.bbox), "segmentation": item.segmentation}
        read = read_object(stated, item.label, (header.width_px, header.height_px))
        if isinstance(read, str):
            problems.add(zone.ref.path, f"object {number} ({item.label}): {read}")
        else:
            objects.append(replace(read, status=item.status).as_object())
    label = image_label(objects, clean_class)
    if not label:
        problems.add(zone.ref.path, "a zone without objects needs a clean class, got none; name it by clean_class")
        return None
    return Record(
        zone.ref.path, label, objects=objects, x_mm=meta.stage_x_mm, y_mm=meta.stage_y_mm, zone=str(meta.zone),
        pitch_um=meta.pitch_um, group=meta.glass, product=meta.product, cycle=meta.cycle,
        size_px=(zone.width_px, zone.height_px), header=header, per_candidate=True,
    )  # fmt: skip

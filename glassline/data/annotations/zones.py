"""Boxes drawn on the pictures of a rig's zones: one file of any format, checked against the captures.

A picture is known by its name, `G0001_marked_03.png`. A zone that is listed without a box has been looked
at and is clean; one that is not listed has not been looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import AnnotatedImage, Box
from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures
from glassline.data.labels import CONTROL
from glassline.data.problems import Problems
from glassline.errors import DataError


@dataclass(frozen=True)
class ZoneBoxes:
    """What an inspector drew on one zone's picture.

    Attributes:
        drawn_on: The zone whose picture it was, clean or marked.
        boxes: In px of that picture; none when the zone is clean.
    """

    drawn_on: ZoneRef
    boxes: tuple[Box, ...]

    @property
    def clean(self) -> ZoneRef:
        """The clean zone of the same place."""
        return ZoneRef(self.drawn_on.glass, "clean", self.drawn_on.zone)


@dataclass(frozen=True)
class Inspection:
    """What an annotation file says of captures.

    Attributes:
        zones: Those that were looked at, sorted.
        classes: Defect classes, in the file's order.
        unlabelled: Names of pictures that the file lists as not looked at yet.
    """

    zones: tuple[ZoneBoxes, ...]
    classes: tuple[str, ...]
    unlabelled: tuple[str, ...]


def read_inspection(file: Path, file_format: str, captures: Captures, classes: Sequence[str] = ()) -> Inspection:
    """Read the boxes of every zone that a file lists.

    Args:
        file: Annotation file; for voc the folder.
        file_format: One of FORMATS.
        captures: Captures that hold the zones.
        classes: Classes that a box may have; any when empty.

    Raises:
        DataError: The format is unknown, the file lists no zone, or records break a rule: a picture that is no
            zone of the captures, a marked zone without its clean one, a zone listed twice, another size, an unknown
            class, the same box twice. Names up to ten, each with record and remedy.
    """
    if file_format not in FORMATS:
        raise DataError(f"the format must be one of {', '.join(FORMATS)}, got {file_format!r}; choose one of them")
    problems = Problems(file.name)
    found = FORMATS[file_format].read(file, problems)
    known = set(captures.zones()) if found.images else set[ZoneRef]()
    zones: dict[ZoneRef, ZoneBoxes] = {}
    for image in found.images:
        zone = _zone(image, captures, known, classes, problems)
        if zone is None:
            continue
        other = zones.setdefault(zone.clean, zone)
        if other is not zone:
            problems.add(
                image.where,
                f"a zone must be listed once, got {other.drawn_on.image_name} and {image.name}; delete one",
            )
    problems.raise_if_any()
    if not zones:
        raise DataError(
            f"{file} must list at least one zone that was looked at, got none ({len(found.unlabelled)} not looked at "
            "yet); label some"
        )
    defects = tuple(classes) or tuple(name for name in found.classes if name != CONTROL)
    return Inspection(tuple(zones[ref] for ref in sorted(zones)), defects, tuple(found.unlabelled))


def _zone(
    image: AnnotatedImage, captures: Captures, known: set[ZoneRef], classes: Sequence[str], problems: Problems
) -> ZoneBoxes | None:
    """Return the boxes of one picture, None when it is no zone of the captures."""
    try:
        ref = ZoneRef.of_image_name(Path(image.name).name)
    except DataError as error:
        problems.add(image.where, str(error))
        return None
    zone = ZoneBoxes(ref, tuple(image.boxes))
    missing = [one.path for one in dict.fromkeys((ref, zone.clean)) if one not in known]
    if missing:
        problems.add(
            image.where,
            f"{image.name} must be a zone of the captures, {missing[0]} is missing; add it or delete the image",
        )
        return None
    _, height_px, width_px = captures.shape(ref)
    if image.size_px not in (None, (width_px, height_px)):
        problems.add(
            image.where, f"{image.name} must be of its zone's size {width_px} x {height_px} px, got {image.size_px}; "
            "draw on the picture as it was exported",
        )  # fmt: skip
    for number, box in enumerate(image.boxes, start=1):
        problem = _wrong_box(box, image.boxes[: number - 1], classes)
        if problem:
            problems.add(image.where, f"box {number} of {image.name}: {problem}")
    return zone


def _wrong_box(box: Box, earlier: Sequence[Box], classes: Sequence[str]) -> str:
    if box.label == CONTROL:
        return f"a box marks a defect, got the class {CONTROL}; delete it, a zone without a box is clean"
    if classes and box.label not in classes:
        return f"a class must be one of {', '.join(classes)}, got {box.label!r}; mend it or name the class in classes"
    if any((box.label, box.bbox) == (other.label, other.bbox) for other in earlier):
        return f"a box must be drawn once, got {box.label} at {list(box.bbox)} twice; delete one"
    return ""

"""Read what people decided: a CSV file, or an export of the labelling software that was given the queue's tasks."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import AnnotatedImage
from glassline.data.importers.records import csv_lines
from glassline.data.problems import Problems
from glassline.data.reviews.items import Item, item_of_file, parse_item
from glassline.errors import DataError

Verdict = Literal["accepted", "corrected", "rejected"]

#: Formats in which decisions come back.
REVIEW_FORMATS = ("csv", "label-studio", "cvat", "coco")

#: Columns of a CSV file of decisions.
COLUMNS = ("id", "decision", "label")

#: Field of a task, and attribute of a box, that names the sample and what was decided.
ITEM, DECISION, CLASS = "item", "decision", "class"

#: What a box says that nobody has decided on yet.
UNDECIDED = "undecided"


@dataclass(frozen=True)
class Decision:
    """What somebody says of one sample.

    Attributes:
        item: The sample.
        where: The record, for messages.
        verdict: What was stated; "" where classes tell: another than the sample's corrects it.
        labels: Classes that were stated.
        looked_at: Whether a person has seen to this record: an unchanged class is then accepted.
        cleared: Whether the mark was deleted: nothing is there.
    """

    item: Item
    where: str
    verdict: Verdict | Literal[""]
    labels: tuple[str, ...]
    looked_at: bool = False
    cleared: bool = False


def read_decisions(file: Path, file_format: str, problems: Problems) -> list[Decision]:
    """Return what a file says of each sample, in its order; samples that nobody has looked at are left out.

    Args:
        file: The file.
        file_format: One of REVIEW_FORMATS.
        problems: Where bad records are noted.

    Raises:
        DataError: The format is unknown, or the file cannot be read at all.
    """
    if file_format not in REVIEW_FORMATS:
        raise DataError(f"reviews_format must be one of {', '.join(REVIEW_FORMATS)}, got {file_format!r}; choose one")
    if file_format == "csv":
        return [found for found in _csv(file, problems) if found]
    annotations = FORMATS[file_format].read(file, problems)
    found = [_of_image(image, file_format, problems) for image in annotations.images]
    return [decision for decision in found if decision]


def _csv(file: Path, problems: Problems) -> Iterable[Decision | None]:
    for number, line in csv_lines(file, COLUMNS, problems):
        where, said = f"{file.name} line {number}", line["decision"].strip()
        item = _known(parse_item(line["id"]), line["id"], where, problems)
        if item is None or said in ("", UNDECIDED):
            continue
        label = line["label"].strip()
        if said == "corrected" and not label:
            problems.add(where, "a corrected sample must have a label, got none; state its class")
        elif verdict := _verdict([said], where, problems):
            yield Decision(item, where, verdict, (label,) if label and verdict != "rejected" else ())


def _of_image(image: AnnotatedImage, file_format: str, problems: Problems) -> Decision | None:
    where = f"{image.where} {image.name}"
    boxed = [str(box.fields[ITEM]) for box in image.boxes if box.fields.get(ITEM)]
    named = str(image.fields.get(ITEM) or next(iter(boxed), ""))
    item = _known(parse_item(named) if named else item_of_file(image.name), named or image.name, where, problems)
    if item is None:
        return None
    said = [str(value) for value in (image.fields.get(DECISION), *(box.fields.get(DECISION) for box in image.boxes))]
    stated = sorted({one for one in said if one not in ("None", "", UNDECIDED)})
    verdict = _verdict(stated, where, problems)
    if verdict is None:
        return None
    chosen = image.fields.get(CLASS)
    labels = tuple(dict.fromkeys([box.label for box in image.boxes] + ([str(chosen)] if chosen else [])))
    looked_at = file_format == "label-studio" or verdict in ("accepted", "corrected")
    # The class that the software was left with counts, whatever was said of the one before.
    told: Verdict | Literal[""] = "rejected" if verdict == "rejected" else ""
    return Decision(item, where, told, labels, looked_at, not image.boxes and not chosen)


def _known(item: Item | None, named: str, where: str, problems: Problems) -> Item | None:
    if item is None:
        problems.add(
            where, f"a decision must be on a sample of a review queue, got {named!r:.120}; keep the ids and file names "
            "of the queue's tasks, or delete the record",
        )  # fmt: skip
    return item


def _verdict(said: list[str], where: str, problems: Problems) -> Verdict | Literal[""] | None:
    """Return the one verdict, "" without any, None for what is none."""
    known = [one for one in get_args(Verdict) if one in said]
    if len(said) > 1 or len(known) < len(said):
        problems.add(where, f"a decision must be one of {', '.join(get_args(Verdict))}, got {said}; keep one of them")
        return None
    return known[0] if known else ""

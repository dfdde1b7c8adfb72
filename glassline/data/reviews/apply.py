"""From a table of images and decisions to the table that is trained on.

What was decided stands in the column `reviews` of the image: JSON, a list of {"box": [x, y, width, height] in px or
null for the image as a whole, "decision", "label"}. Whoever cuts candidates heeds it: a rejected one is left out, the
others are what was decided, and all carry the decision, so that no queue asks for them again.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from glassline.data.importers.boxes import image_label
from glassline.data.problems import Problems
from glassline.data.reviews.decisions import Decision
from glassline.data.reviews.items import SAME_PLACE, BoxPx, overlap, same_place
from glassline.data.samples import SampleTable
from glassline.errors import DataError

#: Overlap (of the smaller one) from which an annotated object is what a candidate shows.
SAME_OBJECT = 0.3

_TOLD = ["id", "decision", "was", "label"]


@dataclass(frozen=True)
class Reviewed:
    """What became of a table.

    Attributes:
        table: The table, decisions applied.
        applied: One row per decision: id, decision, was (its class), label (what it is now; "" when it left).
        undecided: How many samples were looked at without a decision.
    """

    table: SampleTable
    applied: pd.DataFrame
    undecided: int


def apply_decisions(table: SampleTable, decisions: list[Decision], problems: Problems) -> Reviewed:
    """Apply decisions to a table of images; it is not changed itself.

    A corrected candidate changes the class of the object that it shows, and becomes an object itself where it shows
    none. A corrected image changes its class. A rejected image leaves the table, a rejected candidate is left out when
    candidates are cut.

    Args:
        table: Table of images.
        decisions: What was decided.
        problems: Where contradictions, unknown samples and classes are noted.

    Raises:
        DataError: At least one decision breaks a rule, or every image was rejected.
    """
    rows: list[dict[Any, Any]] = table.rows.to_dict("records")
    settled, undecided = _settle_all(rows, decisions, table, problems)
    if not settled:
        return Reviewed(table, pd.DataFrame(columns=_TOLD), undecided)
    for one in settled:
        _apply(one, table.clean_class)
    rejected = {str(one.row["id"]) for one in settled if one.box is None and one.verdict == "rejected"}
    if len(rejected) == len(rows):
        raise DataError("at least one image must be left, got all of them rejected; accept some")
    frame = pd.DataFrame([{"reviews": "", **row} for row in rows if str(row["id"]) not in rejected])
    columns = list(dict.fromkeys([*table.rows.columns, "reviews"]))
    applied = pd.DataFrame([one.told() for one in settled], columns=_TOLD)
    return Reviewed(table.with_rows(frame[columns].astype(table.rows.dtypes.to_dict())), applied, undecided)


@dataclass
class _Settled:
    """A decision whose sample is known; `verdict` is "" when there is none after all."""

    decision: Decision
    row: dict[Any, Any]
    was: str
    verdict: str
    label: str
    object_number: int | None

    @property
    def box(self) -> BoxPx | None:
        return self.decision.item.box_px

    def told(self) -> dict[str, str]:
        label = "" if self.verdict == "rejected" else self.label
        return {"id": self.decision.item.identity, "decision": self.verdict, "was": self.was, "label": label}


def _settle_all(
    rows: list[dict[Any, Any]], decisions: list[Decision], table: SampleTable, problems: Problems
) -> tuple[list[_Settled], int]:
    """Return one decision per sample, and how many samples are undecided.

    Raises:
        DataError: A decision breaks a rule.
    """
    by_id = {str(row["id"]): row for row in rows}
    settled: dict[str, dict[str, _Settled]] = defaultdict(dict)  # by image, then by id
    undecided = 0
    for decision in decisions:
        row = _row(by_id, decision, problems)
        found = _settle(row, decision, table, problems) if row is not None else None
        if found is not None and not found.verdict:
            undecided += 1
        elif found is not None and _agrees(settled[decision.item.image].values(), found, problems):
            settled[decision.item.image][decision.item.identity] = found
    decided = [one for of_image in settled.values() for one in of_image.values()]
    _check_objects(decided, problems)
    problems.raise_if_any()
    return decided, undecided


def _row(by_id: dict[str, dict[Any, Any]], decision: Decision, problems: Problems) -> dict[Any, Any] | None:
    """Return the row of the image that a decision is on, None when it is not the one that was reviewed."""
    item = decision.item
    row = by_id.get(item.image)
    if row is None:
        problems.add(
            decision.where, f"a decision must be on an image of the data, got {item.image!r}; give the data that was "
            "reviewed, or delete the record",
        )  # fmt: skip
    elif str(row["sha256"])[:8] != item.sha8:
        problems.add(
            decision.where, f"{item.image} must be the image that was reviewed, whose hash began with {item.sha8}, got "
            f"{str(row['sha256'])[:8]}; give the data that was reviewed, or delete the record",
        )  # fmt: skip
        return None
    elif item.box_px is not None and not row["objects"]:
        problems.add(
            decision.where, f"{item.image} is labelled as a whole and must be decided as a whole, got the place "
            f"{list(item.box_px)}; give the labels that were reviewed, or delete the record",
        )  # fmt: skip
        return None
    elif item.box_px is not None and not _on_image(item.box_px, row):
        problems.add(
            decision.where, f"a place must have a size, and its middle on {item.image} of {row['width_px']} x "
            f"{row['height_px']} px, got {list(item.box_px)}; keep the ids of the queue, or delete the record",
        )  # fmt: skip
        return None
    return row


def _on_image(box: BoxPx, row: Mapping[Any, Any]) -> bool:
    """Tell whether a place can be a candidate's: what is cut around one at the edge may reach beyond it."""
    left, top, width, height = box
    inside = 0 <= left + width / 2 <= row["width_px"] and 0 <= top + height / 2 <= row["height_px"]
    return width > 0 and height > 0 and inside


def _settle(row: dict[Any, Any], decision: Decision, table: SampleTable, problems: Problems) -> _Settled | None:
    """Return what a decision comes to on its image, None when it breaks a rule."""
    was, number = current_label(row, decision.item.box_px, table.clean_class)
    labels = (table.clean_class,) if decision.cleared else decision.labels
    unknown = [label for label in labels if label not in table.classes]
    if unknown:
        problems.add(
            decision.where, f"a class must be one of {', '.join(table.classes)}, got {unknown[0]!r}; mend it, or label "
            "images of a new class and import them",
        )  # fmt: skip
        return None
    other = [label for label in labels if label != was]
    verdict = decision.verdict or ("corrected" if other else "accepted" if decision.looked_at else "")
    if len(other) > 1 or (verdict == "accepted" and other):
        problems.add(
            decision.where, f"a sample must be decided one way, it is {was} and was {verdict} as "
            f"{' and '.join(other)}; keep one",
        )  # fmt: skip
        return None
    label = other[0] if other and verdict == "corrected" else was
    return _Settled(decision, row, was, "accepted" if verdict == "corrected" and not other else verdict, label, number)


def current_label(row: Mapping[Any, Any], box: BoxPx | None, clean_class: str) -> tuple[str, int | None]:
    """Return the class of a sample, and the number of the annotated object that it shows.

    Args:
        row: Row of its image.
        box: Its place; None for the image as a whole.
        clean_class: The class without defect.
    """
    if box is None:
        return str(row["label"]), None
    objects = json.loads(row["objects"]) if row["objects"] else []
    hits = [number for number, told in enumerate(objects) if overlap(tuple(told["bbox"]), box) >= SAME_OBJECT]
    if not hits:
        return clean_class or str(row["label"]), None
    best = max(hits, key=lambda number: same_place(tuple(objects[number]["bbox"]), box))
    return str(objects[best]["label"]), best


def _agrees(earlier: Iterable[_Settled], found: _Settled, problems: Problems) -> bool:
    """Note a decision that says something else than an earlier one of the image on the same sample, or its place."""
    for before in earlier:
        if not _same_sample(before.box, found.box) or (before.verdict, before.label) == (found.verdict, found.label):
            continue
        problems.add(
            found.decision.where, f"a sample must be decided once, {found.decision.item.identity} is {before.verdict} "
            f"as {before.label} in {before.decision.where} and {found.verdict} as {found.label} here; delete one",
        )  # fmt: skip
        return False
    return True


def _same_sample(one: BoxPx | None, other: BoxPx | None) -> bool:
    if one is None or other is None:
        return one is other
    return same_place(one, other) >= SAME_PLACE


def _check_objects(settled: list[_Settled], problems: Problems) -> None:
    """Note decisions on two candidates that show one object and give it two classes."""
    by_object: dict[tuple[str, int], dict[str, _Settled]] = defaultdict(dict)
    for one in settled:
        if one.object_number is not None and one.verdict != "rejected":
            by_object[str(one.row["id"]), one.object_number][one.label] = one
    for (image, number), by_label in by_object.items():
        if len(by_label) > 1:
            last = list(by_label.values())[-1]
            problems.add(
                last.decision.where, f"object {number} of {image} must have one class, its candidates were decided as "
                f"{' and '.join(sorted(by_label))}; keep one",
            )  # fmt: skip


def _apply(one: _Settled, clean_class: str) -> None:
    """Write a decision into its row."""
    row, box = one.row, one.box
    told = {"box": list(box) if box else None, "decision": one.verdict, "label": one.label}
    row["reviews"] = json.dumps([*json.loads(row.get("reviews") or "[]"), told])
    if one.verdict != "corrected":
        return
    if box is None:
        row["label"] = one.label
        row["mask"] = "" if one.label == clean_class else row["mask"]
        return
    objects: list[dict[str, Any]] = json.loads(row["objects"] or "[]")
    if one.object_number is not None:
        objects[one.object_number]["label"] = one.label
    else:
        objects.append({"label": one.label, "bbox": list(map(float, box)), "segmentation": None})
    row["objects"] = json.dumps(objects)
    row["label"] = image_label(objects, clean_class) or row["label"]

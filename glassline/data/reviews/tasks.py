"""The review queue as files: pictures, tasks for labelling software, and a CSV file to fill in.

Each task is the picture of one sample, named by its id, with the mark drawn and its present class. What comes back is
read by `glassline.data.reviews.decisions`.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import pandas as pd

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import STATUSES, AnnotatedImage, Annotations, Box, checked_box
from glassline.data.labels import Status
from glassline.data.reviews.decisions import CLASS, COLUMNS, DECISION, ITEM, UNDECIDED, Verdict

#: Folder of the pictures, and files beside it.
IMAGES, DECISIONS, SETUP = "images", "decisions.csv", "setup"

# A correction is another class, which these formats keep with the box.
_SAID = [verdict for verdict in get_args(Verdict) if verdict != "corrected"]


def write_tasks(queue: pd.DataFrame, classes: Sequence[str], picture_px: int, folder: Path) -> None:
    """Write pictures and tasks of a queue into a folder.

    Args:
        queue: One row per sample: id, file, source, label, place on the image, crop, reasons, text, and `picture`, the
            bytes of a PNG file.
        classes: Classes that a sample may have.
        picture_px: Edge of the pictures.
        folder: Gets `images/`, `tasks.json` (Label Studio), `annotations.xml` (CVAT), `annotations.json` (COCO),
            `decisions.csv`, and in `setup/` what the software must know of classes and choices.
    """
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    rows = queue.to_dict("records")
    for row in rows:
        (folder / IMAGES / row["file"]).write_bytes(row["picture"])
    for name in ("label-studio", "cvat", "coco"):
        images = [_task(row, picture_px, chosen=name == "label-studio") for row in rows]
        FORMATS[name].write(Annotations(images, tuple(classes)), folder)
    _write_csv(rows, folder / DECISIONS)
    (folder / SETUP).mkdir(exist_ok=True)
    _write_label_studio_setup(classes, folder / SETUP / "label-studio.xml")
    _write_cvat_setup(classes, folder / SETUP / "cvat-labels.json")


def _task(row: dict[Any, Any], picture_px: int, chosen: bool) -> AnnotatedImage:
    """Return one picture with its mark.

    Args:
        row: Row of the queue.
        picture_px: Edge of the picture.
        chosen: Whether the format keeps the class as a choice for the whole picture too.
    """
    scale = picture_px / row["crop_px"]
    left, top = max(row["x_px"] - row["crop_x_px"], 0), max(row["y_px"] - row["crop_y_px"], 0)
    width, height = (min(row[side], row["crop_px"] - at) for side, at in (("width_px", left), ("height_px", top)))
    bbox, _ = checked_box(left * scale, top * scale, width * scale, height * scale, (picture_px, picture_px))
    status: Status = "contested" if "contested" in row["reasons"] else "confirmed"
    said = {ITEM: row["id"], DECISION: UNDECIDED}
    fields: dict[str, Any] = {ITEM: row["id"], "source": row["source"], "reasons": row["text"]}
    x, y, box_width, box_height = bbox
    box = Box(row["label"], (x, y, box_width, box_height), status, fields=said)
    return AnnotatedImage(
        row["file"], (picture_px, picture_px), [box], fields=fields | ({CLASS: row["label"]} if chosen else {})
    )


def _write_csv(rows: list[dict[Any, Any]], file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, "reasons"])
        writer.writerows([row["id"], "", row["label"], row["text"].replace("\n", "; ")] for row in rows)


def _write_label_studio_setup(classes: Sequence[str], file: Path) -> None:
    """Write the labelling configuration that a project for the tasks needs."""
    view = Element("View")
    SubElement(view, "Header", value="$item")
    SubElement(view, "Text", name="why", value="$reasons")
    SubElement(view, "Image", name="image", value="$image", zoom="true")
    for name, values in ((DECISION, _SAID), (CLASS, classes)):
        choices = SubElement(view, "Choices", name=name, toName="image", choice="single", showInLine="true")
        for value in values:
            SubElement(choices, "Choice", value=value)
    labels = SubElement(view, "RectangleLabels", name="label", toName="image")
    for value in classes:
        SubElement(labels, "Label", value=value)
    status = SubElement(view, "Choices", name="status", toName="image", perRegion="true", choice="single")
    for value in STATUSES:
        SubElement(status, "Choice", value=value)
    indent(view)
    ElementTree(view).write(file, encoding="utf-8")


def _write_cvat_setup(classes: Sequence[str], file: Path) -> None:
    """Write the labels that a task in CVAT needs, for its raw label editor."""
    said = {"name": DECISION, "mutable": False, "input_type": "select", "default_value": UNDECIDED}
    status = {"name": "status", "mutable": False, "input_type": "select", "default_value": STATUSES[0]}
    item = {"name": ITEM, "mutable": False, "input_type": "text", "default_value": "", "values": [""]}
    attributes = [{**said, "values": [UNDECIDED, *_SAID]}, {**status, "values": list(STATUSES)}, item]
    file.write_text(json.dumps([{"name": name, "attributes": attributes} for name in classes], indent=2))

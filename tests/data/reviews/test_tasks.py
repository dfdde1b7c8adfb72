"""Tasks of the queue come back as decisions, from every labelling software and from a CSV file."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from glassline.data.annotations.label_studio import read_label_studio_file
from glassline.data.importers import read_source
from glassline.data.problems import Problems
from glassline.data.reviews.decisions import read_decisions
from glassline.data.reviews.items import Item
from glassline.data.reviews.tasks import write_tasks
from glassline.errors import DataError

CLASSES = ("dent", "mold", "clean")
ONE, OTHER = Item("a/1.png", "0123abcd", (30, 40, 20, 10)), Item("b.png", "0123abcd")


@pytest.fixture
def folder(tmp_path):
    import cv2

    rows = [
        {
            "id": item.identity, "file": item.file_name, "source": f"/data/{item.image}", "label": label, "x_px": 30,
            "y_px": 40, "width_px": 20, "height_px": 10, "crop_x_px": -10, "crop_y_px": 0, "crop_px": 100,
            "reasons": "threshold", "text": "close: dent 0.5 and mold 0.5\nmodels disagree",
            "picture": cv2.imencode(".png", np.full((200, 200), grey, np.uint8))[1].tobytes(),
        }
        for grey, (item, label) in enumerate([(ONE, "dent"), (OTHER, "clean")])
    ]  # fmt: skip
    write_tasks(pd.DataFrame(rows), CLASSES, 200, tmp_path)
    return tmp_path


def _read(file, name):
    problems = Problems(file)
    found = read_decisions(file, name, problems)
    problems.raise_if_any()
    return found


def _submitted(folder, change):
    """Return Label Studio's export after a person changed the predicted regions of each task and saved them."""
    tasks = json.loads((folder / "tasks.json").read_text())
    for task in tasks:
        result = change(task["predictions"][0]["result"])
        task["annotations"] = [] if result is None else [{"result": result}]
    (folder / "export.json").write_text(json.dumps(tasks))
    return folder / "export.json"


@pytest.mark.parametrize(("file", "name"), [("annotations.xml", "cvat"), ("annotations.json", "coco")])
def test_tasks_are_imported_like_any_source(folder, file, name):
    table = read_source(folder / file, name, clean_class="clean")
    assert sorted(table.rows["label"]) == ["clean", "dent"]
    assert json.loads(table.rows.set_index("label")["objects"]["dent"])[0]["bbox"] == [80, 80, 40, 20]


def test_label_studio_tasks_are_predictions_and_import_once_saved(folder):
    predicted = read_label_studio_file(folder / "tasks.json", Problems("x"), "predictions")
    assert [image.boxes[0].label for image in predicted.images] == ["dent", "clean"]
    table = read_source(_submitted(folder, lambda result: result), "label-studio", clean_class="clean")
    assert sorted(table.rows["label"]) == ["clean", "dent"]


@pytest.mark.parametrize(
    ("file", "name"), [("annotations.xml", "cvat"), ("annotations.json", "coco"), ("decisions.csv", "csv")]
)
def test_tasks_that_nobody_touched_decide_nothing(folder, file, name):
    assert all(not one.verdict and not one.looked_at for one in _read(folder / file, name))


def test_label_studio_tasks_that_nobody_saved_decide_nothing(folder):
    assert _read(folder / "tasks.json", "label-studio") == []


def test_label_studio_saved_as_it_is_accepts(folder):
    found = _read(_submitted(folder, lambda result: result), "label-studio")
    assert [(one.item, one.labels, one.looked_at) for one in found] == [
        (ONE, ("dent",), True), (OTHER, ("clean",), True)
    ]  # fmt: skip


def test_label_studio_choices_correct_and_reject(folder):
    def choose(result):
        choice = next(one for one in result if one["from_name"] == "class")
        if choice["value"]["choices"] == ["clean"]:
            return [*result, {**choice, "from_name": "decision", "value": {"choices": ["rejected"]}}]
        choice["value"]["choices"] = ["mold"]
        return result

    one, other = _read(_submitted(folder, choose), "label-studio")
    assert (one.verdict, set(one.labels)) == ("", {"dent", "mold"})
    assert other.verdict == "rejected"


def test_label_studio_without_a_mark_is_cleared(folder):
    one, _ = _read(_submitted(folder, lambda result: []), "label-studio")
    assert one.cleared
    assert one.looked_at


def test_cvat_says_it_by_attribute_and_by_class(folder):
    file = folder / "annotations.xml"
    text = file.read_text().replace(">undecided<", ">accepted<", 1).replace('label="clean"', 'label="mold"')
    file.write_text(text)
    one, other = _read(file, "cvat")
    assert (one.item, one.looked_at, one.labels) == (ONE, True, ("dent",))
    assert (other.item, other.looked_at, other.labels) == (OTHER, False, ("mold",))


def test_coco_without_the_fields_of_the_queue_is_known_by_the_name_of_the_picture(folder):
    file = folder / "annotations.json"
    data = json.loads(file.read_text())
    for image in data["images"]:
        del image["item"]
    for annotation in data["annotations"]:
        annotation["attributes"] = {"decision": "rejected"}
    file.write_text(json.dumps(data))
    assert [(one.item, one.verdict) for one in _read(file, "coco")] == [(ONE, "rejected"), (OTHER, "rejected")]


def test_csv_says_it_in_words(folder):
    file = folder / "decisions.csv"
    file.write_text(f"id,decision,label\r\n{ONE.identity},corrected,mold\n{OTHER.identity},rejected,\n")
    one, other = _read(file, "csv")
    assert (one.item, one.verdict, one.labels) == (ONE, "corrected", ("mold",))
    assert (other.item, other.verdict) == (OTHER, "rejected")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("tile.png,accepted,", "decisions.csv line 2: .* sample of a review queue, got 'tile.png'"),
        (f"{OTHER.identity},perhaps,", r"must be one of accepted, corrected, rejected, got \['perhaps'\]"),
        (f"{OTHER.identity},corrected,", "must have a label"),
    ],
)
def test_csv_with_a_bad_line_is_refused(folder, line, told):
    (folder / "decisions.csv").write_text(f"id,decision,label\n{line}\n")
    with pytest.raises(DataError, match=told):
        _read(folder / "decisions.csv", "csv")


def test_csv_without_a_column_is_refused(folder):
    (folder / "decisions.csv").write_text("id,label\n")
    with pytest.raises(DataError, match="must have the columns id, decision, label"):
        _read(folder / "decisions.csv", "csv")


def test_two_verdicts_on_one_picture_are_refused(folder):
    file = folder / "annotations.xml"
    box = re.search(r"<box .*?</box>", file.read_text(), re.DOTALL)[0]
    both = box.replace("undecided", "accepted") + box.replace("undecided", "rejected")
    file.write_text(file.read_text().replace(box, both))
    with pytest.raises(DataError, match=r"got \['accepted', 'rejected'\]; keep one"):
        _read(file, "cvat")


def test_a_file_that_declares_entities_is_refused(folder):
    file = folder / "annotations.xml"
    file.write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>')
    with pytest.raises(DataError, match="entities"):
        _read(file, "cvat")


def test_an_unknown_format_is_refused(folder):
    with pytest.raises(DataError, match="csv, label-studio, cvat, coco, got 'voc'"):
        _read(folder / "decisions.csv", "voc")

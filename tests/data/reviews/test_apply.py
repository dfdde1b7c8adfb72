"""Decisions on a table of images: what each does, and what is refused."""

import json

import pandas as pd
import pytest

from glassline.data.problems import Problems
from glassline.data.reviews.apply import apply_decisions
from glassline.data.reviews.decided import DecidedOn
from glassline.data.reviews.decisions import Decision
from glassline.data.reviews.items import Item
from glassline.data.samples import IMAGE_COLUMNS, SampleTable
from glassline.errors import DataError

SHA = "0123456789abcdef" * 4
DENT, MOLD = (10, 10, 20, 20), (60, 60, 10, 10)


def _object(label, box):
    return {"label": label, "bbox": list(map(float, box)), "segmentation": None}


@pytest.fixture
def table():
    """Return a whole-image set of two images and one with objects."""
    marked = json.dumps([_object("dent", DENT), _object("mold", MOLD)])
    rows = [("a.png", "dent", "masks/a.png", ""), ("b.png", "clean", "", ""), ("c.png", "dent", "", marked)]
    frame = pd.DataFrame(rows, columns=["id", "label", "mask", "objects"])
    frame = frame.assign(image=frame["id"], sha256=SHA, group=frame["id"], width_px=100, height_px=100, bit_depth=8)
    for column in IMAGE_COLUMNS:
        if column not in frame:
            frame[column] = ""
    return SampleTable(frame, "images", "root", ("dent", "mold", "clean"), "clean")


def _decide(image, box=None, verdict="", *labels, sha=SHA[:8], **more):
    return Decision(Item(image, sha, box), f"line of {image}", verdict, labels, **more)


def _apply(table, *decisions):
    return apply_decisions(table, list(decisions), Problems("reviews.csv", "applied"))


def _row(reviewed, image):
    return reviewed.table.rows.set_index("id").loc[image]


def _objects(reviewed):
    return {tuple(one["bbox"]): one["label"] for one in json.loads(_row(reviewed, "c.png")["objects"])}


def test_no_decision_leaves_the_table_as_it_is(table):
    reviewed = _apply(table)
    assert reviewed.table.content_hash() == table.content_hash()


def test_a_corrected_image_has_the_class_and_no_mask_when_it_is_clean(table):
    row = _row(_apply(table, _decide("a.png", None, "corrected", "clean")), "a.png")
    assert (row["label"], row["mask"]) == ("clean", "")


def test_a_corrected_candidate_changes_the_object_that_it_shows(table):
    reviewed = _apply(table, _decide("c.png", (12, 12, 15, 15), "corrected", "mold"))
    assert _objects(reviewed) == {DENT: "mold", MOLD: "mold"}
    assert _row(reviewed, "c.png")["label"] == "mold"
    assert reviewed.applied.to_dict("records") == [
        {"id": "c.png@12.12.15.15~01234567", "decision": "corrected", "was": "dent", "label": "mold"}
    ]


def test_a_corrected_candidate_that_shows_no_object_becomes_one(table):
    reviewed = _apply(table, _decide("c.png", (80, 10, 8, 8), "corrected", "mold"))
    assert _objects(reviewed) == {DENT: "dent", MOLD: "mold", (80, 10, 8, 8): "mold"}


def test_a_candidate_without_its_mark_is_clean(table):
    reviewed = _apply(table, _decide("c.png", DENT, "", cleared=True))
    assert _objects(reviewed)[DENT] == "clean"
    assert _row(reviewed, "c.png")["label"] == "mold"


def test_a_rejected_image_leaves_and_is_named(table):
    reviewed = _apply(table, _decide("b.png", None, "rejected"))
    assert list(reviewed.table.rows["id"]) == ["a.png", "c.png"]
    assert reviewed.applied.iloc[0].to_dict() == {
        "id": "b.png~01234567", "decision": "rejected", "was": "clean", "label": ""
    }  # fmt: skip


def test_a_decision_on_a_candidate_is_found_where_it_is_cut(table):
    reviewed = _apply(table, _decide("c.png", DENT, "rejected"), _decide("c.png", MOLD, "accepted"))
    decided = DecidedOn(_row(reviewed, "c.png"))
    assert decided.at(DENT).decision == "rejected"
    assert decided.at((61, 60, 10, 10)).label == "mold"
    assert decided.at((80, 80, 5, 5)) is None


@pytest.mark.parametrize(
    ("looked_at", "labels", "verdict"),
    [(True, ("dent",), "accepted"), (False, ("dent",), None), (False, ("dent", "mold"), "corrected")],
)
def test_a_class_tells_what_was_decided_where_nothing_is_stated(table, looked_at, labels, verdict):
    reviewed = _apply(table, _decide("a.png", None, "", *labels, looked_at=looked_at))
    assert list(reviewed.applied["decision"]) == ([verdict] if verdict else [])
    assert reviewed.undecided == (verdict is None)


def test_the_same_decision_twice_counts_once(table):
    assert len(_apply(table, *[_decide("a.png", None, "rejected")] * 2).applied) == 1


@pytest.mark.parametrize(
    ("decisions", "told"),
    [
        ([_decide("z.png", None, "rejected")], "line of z.png: .* on an image of the data, got 'z.png'"),
        ([_decide("a.png", None, "rejected", sha="ffffffff")], "must be the image that was reviewed"),
        ([_decide("a.png", DENT, "rejected")], "labelled as a whole"),
        ([_decide("a.png", None, "corrected", "crack")], "must be one of dent, mold, clean, got 'crack'"),
        ([_decide("a.png", None, "accepted", "mold")], "it is dent and was accepted as mold"),
        ([_decide("a.png", None, "corrected", "mold", "clean")], "decided one way"),
        ([_decide("a.png", None, "rejected"), _decide("a.png", None, "accepted")], "must be decided once"),
        (
            [_decide("c.png", (12, 12, 10, 10), "corrected", "mold"), _decide("c.png", DENT, "accepted")],
            "object 0 of c.png must have one class",
        ),
        ([_decide("c.png", DENT, "rejected"), _decide("c.png", (11, 10, 20, 20), "accepted")], "must be decided once"),
        ([_decide("c.png", (5, 5, 0, 0), "corrected", "mold")], "a place must have a size"),
        ([_decide("c.png", (-900, -900, 5, 5), "corrected", "mold")], "its middle on c.png of 100 x 100 px"),
        ([_decide("c.png", (0, 0, 99999, 99999), "corrected", "mold")], "its middle on c.png of 100 x 100 px"),
        ([_decide(name, None, "rejected") for name in ("a.png", "b.png", "c.png")], "at least one image must be left"),
    ],
)
def test_a_decision_that_breaks_a_rule_is_refused(table, decisions, told):
    with pytest.raises(DataError, match=told):
        _apply(table, *decisions)

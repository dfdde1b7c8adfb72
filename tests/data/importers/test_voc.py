"""Importer of Pascal VOC."""

import json

import pytest

from glassline.data.importers import read_source
from glassline.errors import DataError

OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
SCRATCH, DENT = OBJECT.format("scratch", 3, 4, 12, 7), OBJECT.format("dent", 1, 1, 40, 30)


@pytest.fixture
def source(tmp_path, write_image):
    for n in (1, 2):
        write_image(f"JPEGImages/{n}.jpg", n)
        _write(tmp_path, n, SCRATCH)
    return tmp_path


def _write(source, n, objects="", name=None, width=40, start="<annotation>"):
    (source / "Annotations").mkdir(exist_ok=True)
    (source / "Annotations" / f"{n}.xml").write_text(
        f"{start}<filename>{name or f'{n}.jpg'}</filename>"
        f"<size><width>{width}</width><height>30</height></size>{objects}</annotation>"
    )


def test_voc_counts_from_one_and_includes_both_corners(source):
    table = read_source(source, "voc")
    expected = [{"label": "scratch", "bbox": [2, 3, 10, 4], "segmentation": None}]
    assert json.loads(table.rows["objects"][0]) == expected
    assert table.rows["image"].tolist() == ["JPEGImages/1.jpg", "JPEGImages/2.jpg"]


def test_voc_labels_an_image_by_the_largest_defect(source):
    _write(source, 1, SCRATCH + DENT)
    assert read_source(source, "voc").rows["label"].tolist() == ["dent", "scratch"]


def test_voc_needs_a_clean_class_for_an_image_without_objects(source):
    _write(source, 1)
    with pytest.raises(DataError, match=r"Annotations/1\.xml: .*needs a clean class"):
        read_source(source, "voc")
    table = read_source(source, "voc", clean_class="good")
    assert (table.rows["label"][0], table.classes, table.clean_class) == ("good", ("good", "scratch"), "good")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"objects": OBJECT.format("dent", 3, 4, 60, 7)}, r"object 'dent': a box must lie inside its image of 40 x 30"),
        ({"objects": OBJECT.format("dent", 9, 4, 3, 7)}, "positive size"),
        ({"objects": OBJECT.format("dent", "x", 4, 3, 7)}, "could not convert"),
        ({"objects": OBJECT.format("dent", "nan", 4, 3, 7)}, "positive size"),
        ({"objects": OBJECT.format("", 1, 1, 3, 7)}, "element name is missing or empty"),
        ({"objects": "<object><name>dent</name></object>"}, "element bndbox/xmin is missing"),
        ({"objects": "<object>"}, "well-formed VOC XML"),
        ({"width": 41}, "its labels state 41 x 30 px"),
        ({"width": ""}, "element size/width is missing"),
        ({"name": "none.jpg"}, r"existing file, got 'JPEGImages/none\.jpg'"),
        ({"name": "../../1.jpg"}, "stay inside the source"),
        ({"name": "2.jpg"}, r"2\.jpg: an image must be listed once"),
    ],
)
def test_voc_refuses_a_bad_record(source, change, problem):
    _write(source, 1, **({"objects": SCRATCH} | change))
    with pytest.raises(DataError, match=problem):
        read_source(source, "voc")


@pytest.mark.parametrize(
    "declaration", ['<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">', '<!ENTITY a SYSTEM "file:///etc/passwd">']
)
def test_voc_refuses_entities(source, declaration):
    _write(source, 1, OBJECT.format("&a;", 1, 1, 3, 7), start=f"<!DOCTYPE annotation [{declaration}]><annotation>")
    with pytest.raises(DataError, match=r"Annotations/1\.xml: an annotation must not declare entities"):
        read_source(source, "voc")


def test_voc_refuses_an_image_without_annotation(source):
    (source / "Annotations" / "2.xml").unlink()
    with pytest.raises(DataError, match=r"JPEGImages/2\.jpg: an image must have an annotation file"):
        read_source(source, "voc")


@pytest.mark.parametrize("folder", ["Annotations", "JPEGImages"])
def test_voc_refuses_a_missing_folder(tmp_path, folder):
    other = {"Annotations": "JPEGImages", "JPEGImages": "Annotations"}[folder]
    (tmp_path / other).mkdir()
    with pytest.raises(DataError, match=f"must have the folder {folder}"):
        read_source(tmp_path, "voc")

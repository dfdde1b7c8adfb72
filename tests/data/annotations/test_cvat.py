"""CVAT XML."""

import json

import pytest

from glassline.data.annotations.cvat import read_cvat_file
from glassline.data.importers import read_source
from glassline.data.problems import Problems
from glassline.errors import DataError

BOX = '<box label="scratch" xtl="2" ytl="3" xbr="12" ybr="7"/>'


def _write(folder, shapes="", labels=("scratch", "dent"), start="", image='name="1.png" width="40" height="30"'):
    names = "".join(f"<label><name>{name}</name></label>" for name in labels)
    meta = f"<version>1.1</version><meta><task><labels>{names}</labels></task></meta>"
    file = folder / "annotations.xml"
    file.write_text(f'{start}<annotations>{meta}<image id="0" {image}>{shapes}</image></annotations>')
    return file


def _boxes(folder, shapes, **more):
    problems = Problems("annotations.xml")
    found = read_cvat_file(_write(folder, shapes, **more), problems)
    problems.raise_if_any()
    return found.images[0].boxes


def test_cvat_reads_a_box_with_its_status(tmp_path):
    (box,) = _boxes(tmp_path, BOX.replace("/>", '><attribute name="status">wiped</attribute></box>'))
    assert (box.label, box.bbox, box.status) == ("scratch", (2, 3, 10, 4), "wiped")


def test_cvat_turned_box_becomes_the_box_around_it(tmp_path):
    (box,) = _boxes(tmp_path, BOX.replace("/>", ' rotation="90"/>'))
    assert box.bbox == (5, 0, 4, 10)


def test_cvat_polygon_becomes_the_box_around_it_and_stays_as_segmentation(tmp_path):
    (box,) = _boxes(tmp_path, '<polygon label="dent" points="1,2;9,4;3,8.5"/>')
    assert (box.bbox, box.segmentation) == ((1, 2, 8, 6.5), [[1, 2, 9, 4, 3, 8.5]])


def test_cvat_straight_polyline_has_a_box_one_pixel_high(tmp_path):
    assert _boxes(tmp_path, '<polyline label="scratch" points="1,2;9,2"/>')[0].bbox == (0.5, 1.5, 9, 1)


def test_cvat_without_a_list_of_labels_takes_those_of_the_boxes(tmp_path):
    assert read_cvat_file(_write(tmp_path, BOX, labels=()), Problems("x")).classes == ("scratch",)


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        (BOX.replace("12", "60"), r"box number 1 of 1\.png: a box must lie inside its image of 40 x 30 px"),
        (BOX.replace("12", "1"), "positive size"),
        (BOX.replace("12", "1").replace("/>", ' rotation="20"/>'), "positive size"),
        (BOX.replace("12", "x"), "must be numbers in px"),
        (BOX.replace("12", "nan"), "must be finite"),
        (BOX.replace("scratch", "fold"), r"label must be among \['scratch', 'dent'\], got 'fold'"),
        (BOX.replace("/>", '><attribute name="status">maybe</attribute></box>'), "status must be one of .* 'maybe'"),
        ('<polygon label="dent" points="1,2;3,4"/>', "at least 3 points"),
        ('<polyline label="dent" points="1,2;3"/>', "at least 2 points"),
        ('<mask label="dent" rle="3, 4" left="1" top="1" width="2" height="2"/>', "got mask; draw a box instead"),
        ('<tag label="dent"/>', "got tag"),
    ],
)
def test_cvat_refuses_a_bad_shape(tmp_path, shape, problem):
    with pytest.raises(DataError, match=problem):
        _boxes(tmp_path, shape)


@pytest.mark.parametrize(
    "declaration", ['<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">', '<!ENTITY a SYSTEM "file:///etc/passwd">']
)
def test_cvat_refuses_entities(tmp_path, declaration):
    start = f"<!DOCTYPE annotations [{declaration}]>"
    with pytest.raises(DataError, match=r"annotations\.xml: an annotation must not declare entities"):
        read_cvat_file(_write(tmp_path, BOX.replace("scratch", "&a;"), start=start), Problems("x"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "well-formed CVAT XML"),
        ("<annotations><image>", "well-formed CVAT XML"),
        ("<annotation/>", "got the element annotation"),
        ('<annotations><track id="0"/></annotations>', "got tracks of a video"),
    ],
)
def test_cvat_refuses_another_file(tmp_path, text, problem):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DataError, match=problem):
        read_cvat_file(tmp_path / "a.xml", Problems("x"))


def test_cvat_image_needs_a_size(tmp_path):
    problems = Problems("x")
    read_cvat_file(_write(tmp_path, image='name="1.png"'), problems)
    with pytest.raises(DataError, match="image 0 must have a name, width and height"):
        problems.raise_if_any()


@pytest.mark.parametrize("folder", ["", "images/"])
def test_cvat_is_a_source_of_images(tmp_path, write_image, folder):
    write_image(f"{folder}1.png")
    file = _write(tmp_path, BOX)
    for source in (tmp_path, file):
        table = read_source(source, "cvat")
        assert (table.rows["image"][0], table.rows["label"][0]) == (f"{folder}1.png", "scratch")
        assert json.loads(table.rows["objects"][0])[0]["bbox"] == [2, 3, 10, 4]

"""Boxes of zone pictures against the captures."""

import pytest

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import AnnotatedImage, Annotations, Box
from glassline.data.annotations.zones import read_inspection
from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.errors import DataError

BOX = Box("scratch", (2, 3, 10, 4))


@pytest.fixture
def captures(marked_captures):
    return open_captures(marked_captures([(0, 0), (0, 0)], size_px=64, dust=0, scratches=0)[0])


def _read(captures, folder, *images, form="coco", classes=()):
    drawn = [AnnotatedImage(name, size_px, list(boxes)) for name, size_px, *boxes in images]
    labels = tuple(sorted({box.label for image in drawn for box in image.boxes}))
    return read_inspection(FORMATS[form].write(Annotations(drawn, labels), folder), form, captures, classes)


@pytest.mark.parametrize("form", ["coco", "voc", "cvat"])
def test_inspection_knows_zones_by_their_pictures(captures, tmp_path, form):
    clean, marked = ("images/G0001_clean_00.png", (64, 64)), ("G0000_marked_00.PNG", (64, 64), BOX)
    found = _read(captures, tmp_path, clean, marked, form=form)
    first, second = found.zones
    assert (first.drawn_on, first.clean, first.boxes) == (
        ZoneRef("G0000", "marked", 0),
        ZoneRef("G0000", "clean", 0),
        (BOX,),
    )
    assert (second.drawn_on, second.boxes) == (ZoneRef("G0001", "clean", 0), ())
    assert found.classes == ("scratch",)


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        ([("photo.png", (64, 64))], r"must be named like G0001_marked_03\.png, got 'photo\.png'"),
        (
            [("G0009_clean_00.png", (64, 64))],
            r"G0009_clean_00\.png must be a zone of the captures, G0009\.zarr/clean-00",
        ),
        ([("G0000_marked_01.png", (64, 64))], r"G0000\.zarr/marked-01 is missing"),
        ([("G0000_marked_00.png", (64, 60))], r"must be of its zone's size 64 x 64 px, got \(64, 60\)"),
        ([("G0000_marked_00.png", (64, 64)), ("G0000_clean_00.png", (64, 64))], "a zone must be listed once"),
        ([("G0000_marked_00.png", (64, 64), BOX, BOX)], "box 2 of G0000_marked_00.png: a box must be drawn once"),
        ([("G0000_marked_00.png", (64, 64), Box("fold", BOX.bbox))], "must be one of scratch, dent, got 'fold'"),
        ([("G0000_marked_00.png", (64, 64), Box("control", BOX.bbox))], "got the class control; delete it"),
        ([("G0000_marked_00.png", (64, 64), Box("scratch", (60, 3, 10, 4)))], "a box must lie inside its image"),
        ([], "must list at least one zone that was looked at, got none"),
    ],
)
def test_inspection_refuses_a_bad_record(captures, tmp_path, images, problem):
    with pytest.raises(DataError, match=problem):
        _read(captures, tmp_path, *images, classes=("scratch", "dent"))


def test_inspection_refuses_a_marked_zone_without_its_clean_one(captures, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(glass="G0007", kind="marked"), dark_zone(size_px=64)[0])
    with pytest.raises(DataError, match=r"G0007\.zarr/clean-00 is missing"):
        _read(captures, tmp_path, ("G0007_marked_00.png", (64, 64)))


def test_inspection_names_every_bad_record(captures, tmp_path):
    with pytest.raises(DataError) as caught:
        _read(captures, tmp_path, ("a.png", (64, 64)), ("G0000_clean_00.png", (1, 1)))
    assert "'a.png'" in str(caught.value)
    assert "size 64 x 64" in str(caught.value)


def test_inspection_refuses_an_unknown_format(captures, tmp_path):
    with pytest.raises(DataError, match="must be one of coco, voc, cvat, label-studio, got 'yolo'"):
        read_inspection(tmp_path, "yolo", captures)

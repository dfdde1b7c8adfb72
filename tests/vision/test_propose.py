"""Pre-annotations."""

import cv2
import numpy as np
import pytest

from glassline.data.annotations import FORMATS
from glassline.data.captures.store import open_captures
from glassline.data.problems import Problems
from glassline.errors import DataError, SettingsError, StorageError
from glassline.vision.current_model import current_model
from glassline.vision.propose import ProposeSettings, propose_boxes, write_proposals

MODEL = current_model("classical")


def _propose(folder, form, out, **settings):
    parsed = ProposeSettings.parse({"depth_window": (60, 1200), **settings})
    captures = open_captures(folder)
    return write_proposals(captures, captures.zones(), form, MODEL, parsed, out)


def test_pieces_that_lie_close_share_a_box():
    mask_HW = np.zeros((30, 60), np.bool_)
    mask_HW[5:7, 5:15] = mask_HW[8:10, 20:30] = mask_HW[25:28, 50:52] = True
    boxes = propose_boxes(mask_HW, "scratch", 8)
    assert [box.bbox for box in boxes] == [(5, 5, 25, 5), (50, 25, 2, 3)]
    assert len(propose_boxes(mask_HW, "scratch", 0)) == 3
    assert propose_boxes(np.zeros_like(mask_HW), "scratch", 8) == []


def test_proposals_are_pictures_and_boxes_around_the_scratches(marked_captures, tmp_path):
    folder, (scratches_HW,) = marked_captures([(0, 0)], scratches=1)
    (image,) = _propose(folder, "coco", tmp_path / "out")
    (box,) = image.boxes
    assert box.bbox == pytest.approx(cv2.boundingRect(scratches_HW.astype(np.uint8)), abs=4)
    picture_HW = cv2.imread(str(tmp_path / "out" / "images" / "G0000_clean_00.png"), cv2.IMREAD_UNCHANGED)
    assert (picture_HW.dtype, picture_HW.shape) == (np.uint8, (192, 192))
    assert picture_HW[scratches_HW].mean() > 100 > picture_HW[:10].mean()


@pytest.mark.parametrize("form", ["coco", "voc", "cvat"])
def test_proposals_read_back_as_annotations(marked_captures, tmp_path, form):
    folder, _ = marked_captures([(0, 0)])
    images = _propose(folder, form, tmp_path / "out")
    file = {"coco": "annotations.json", "cvat": "annotations.xml", "voc": ""}[form]
    assert FORMATS[form].read(tmp_path / "out" / file, Problems("x")).images == images


def test_pictures_may_be_the_marked_ones(marked_captures, tmp_path):
    folder, _ = marked_captures([(0, 0), (0, 0)])
    images = _propose(folder, "voc", tmp_path / "out", pictures="marked")
    assert [image.name for image in images] == ["G0000_marked_00.png", "G0001_marked_00.png"]
    assert (tmp_path / "out" / "JPEGImages" / "G0001_marked_00.png").is_file()


def test_a_folder_that_holds_edited_labels_is_never_replaced(marked_captures, tmp_path):
    folder, _ = marked_captures([(0, 0)])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "annotations.json").write_text("edited")
    for out in (tmp_path / "out", folder):
        with pytest.raises(StorageError, match="missing or empty folder"):
            _propose(folder, "coco", out)
    assert (tmp_path / "out" / "annotations.json").read_text() == "edited"
    assert len(open_captures(folder).zones()) == 2


def test_captures_without_a_zone_to_show_are_refused(tmp_path):
    with pytest.raises(DataError, match="at least one clean zone with its clean one, got none"):
        _propose(tmp_path / "none", "coco", tmp_path / "out")


def test_window_must_be_stated():
    with pytest.raises(SettingsError, match="depth_window"):
        ProposeSettings.parse({})


@pytest.mark.parametrize("window", [(1200, 60), (5, 5), (0, 70000)])
def test_a_window_without_width_is_refused_with_the_settings(window):
    with pytest.raises(SettingsError, match=r"depth_window: .*0 <= low < high <= 65535"):
        ProposeSettings.parse({"depth_window": window})

"""What is written of an image."""

import dataclasses
import json
import math

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from glassline.deploy.bundle import load_bundle
from glassline.deploy.detection import DETECTION, OVERLAY, Detection, _length_px, detect_image
from glassline.deploy.detector import GRAPH_TYPES, Detector
from glassline.errors import DataError, StorageError
from glassline.vision.defects import Defect


@pytest.fixture
def detector(detector_bundle):
    return Detector(load_bundle(detector_bundle()), 1)


@pytest.fixture
def image(tmp_path):
    """A noisy image with an even part, in which the random detector finds something here and there."""
    pixels = np.random.default_rng(0).integers(0, 256, (61, 90)).astype(np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    return tmp_path / "a.png"


def test_every_defect_is_told_with_box_mask_severity_type_and_size(detector, image, tmp_path):
    told = detect_image(image, detector, tmp_path / "out" / "a.png")
    assert told == Detection.parse(json.loads((tmp_path / "out" / "a.png" / DETECTION).read_text()))
    severity_RC = detector.score(detector.open(image))
    assert len(told.defects) > 0
    for one in told.defects:
        x, y, width, height = one.bbox_px
        mask_HW = coco.decode(one.mask).astype(bool)
        assert mask_HW.shape == (61, 90)
        rows, columns = np.nonzero(mask_HW)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x, y, x + width, y + height)
        assert (one.area_px, one.area_um2) == (mask_HW.sum(), mask_HW.sum() * 100)
        severities = [float(severity_RC[row // 4, column // 4]) for row, column in zip(rows, columns, strict=True)]
        assert one.severity_max == pytest.approx(max(severities))
        assert one.severity_integrated == pytest.approx(sum(severities), rel=1e-5)
        assert (one.width_um, one.height_um) == (width * 10, height * 10)
        assert one.type in ("line", "spot")
        assert 0.5 < one.probability <= 1


def test_overlay_is_a_picture_and_rows_hold_every_defect(detector, image, tmp_path):
    told = detect_image(image, detector, tmp_path / "out")
    assert cv2.imread(str(tmp_path / "out" / OVERLAY)).shape[1] > 500
    assert len(told.rows) == len(told.defects)
    assert {"image", "type", "severity_max", "x_px", "area_um2", "length_um"} <= set(told.rows.columns)


def test_pitch_of_the_image_goes_before_that_of_the_bundle(detector, image, tmp_path):
    one, other = (detect_image(image, detector, tmp_path / "out", pitch_um).defects[0] for pitch_um in (None, 2.5))
    assert other.area_um2 == pytest.approx(one.area_um2 / 16)
    assert other.length_um == pytest.approx(one.length_um / 4)


def test_sizes_on_the_glass_are_none_where_the_pitch_is_unknown(detector, image, tmp_path):
    detector.pitch_um = None
    one = detect_image(image, detector, tmp_path / "out").defects[0]
    assert (one.area_um2, one.width_um, one.height_um, one.length_um) == (None,) * 4
    assert one.length_px >= max(one.bbox_px[2:]) * 0.7


def test_what_the_classifier_calls_clean_is_left_out_and_counted(detector, image, tmp_path):
    before = detect_image(image, detector, tmp_path / "out")
    detector.clean_class = before.defects[0].type
    after = detect_image(image, detector, tmp_path / "out")
    assert all(one.type != detector.clean_class for one in after.defects)
    assert after.called_clean == len(before.defects) - len(after.defects) > 0


def test_bundle_without_classifier_tells_no_type(detector_bundle, image, tmp_path):
    bundle = load_bundle(detector_bundle())
    files = {name: content for name, content in bundle.files.items() if name != GRAPH_TYPES}
    told = detect_image(image, Detector(dataclasses.replace(bundle, files=files), 1), tmp_path / "out")
    assert {(one.type, one.probability) for one in told.defects} == {("", None)}
    assert Detection.parse(json.loads((tmp_path / "out" / DETECTION).read_text())) == told


def test_image_without_defect_is_told_as_such(detector, tmp_path):
    detector.find = detector.find.model_copy(update={"least_px": 10_000})
    assert cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 40), 9, np.uint8))
    told = detect_image(tmp_path / "a.png", detector, tmp_path / "out")
    assert told.defects == ()
    assert len(told.rows) == 0
    assert (tmp_path / "out" / OVERLAY).is_file()


def test_image_that_cannot_be_read_leaves_nothing(detector, tmp_path):
    (tmp_path / "a.png").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"a\.png"):
        detect_image(tmp_path / "a.png", detector, tmp_path / "out" / "a.png")
    assert not (tmp_path / "out").exists()


def test_folder_of_something_else_is_not_replaced(detector, image, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"must be free or hold the detection\.json"):
        detect_image(image, detector, tmp_path / "out")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_length_follows_a_defect_that_lies_askew():
    mask_rc = np.eye(10, dtype=bool)
    one = Defect((0, 0, 40, 40), mask_rc, 1, 1, 1, int(mask_rc.sum()) * 16)
    assert _length_px(one, 4) == pytest.approx(40 * math.sqrt(2))


def test_length_of_a_defect_at_the_rim_ends_there():
    assert _length_px(Defect((0, 0, 18, 3), np.ones((1, 5), bool), 1, 1, 1, 54), 4) == pytest.approx(18)

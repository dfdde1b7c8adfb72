"""What is told of the defects of an image."""

import dataclasses
import math

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from glassline.deploy.bundle import load_bundle
from glassline.deploy.detector import GRAPH_TYPES
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.severity import SeverityInspector, length_px
from glassline.deploy.inspection.units import ImageUnit
from glassline.errors import DataError
from glassline.vision.defects import Defect


@pytest.fixture
def inspector(detector_bundle):
    return SeverityInspector(load_bundle(detector_bundle()), Running(threads=1))


@pytest.fixture
def image(write_image):
    """A noisy image, in which the random detector finds something here and there."""
    return write_image("a.png", width=90, height=61)


def _judge(inspector, path):
    return inspector.judge(inspector.read(ImageUnit(path)))


def test_every_defect_is_told_with_box_mask_severity_type_and_size(inspector, image):
    told = _judge(inspector, image)
    severity_RC = inspector.detector.score(inspector.detector.open(image))
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
        assert one.label in ("line", "spot")
        assert 0.5 < one.probability <= 1


def test_pitch_of_the_image_goes_before_that_of_the_bundle(inspector, detector_bundle, image):
    finer = SeverityInspector(load_bundle(detector_bundle()), Running(threads=1, pitch_um=2.5))
    one, other = (_judge(which, image).defects[0] for which in (inspector, finer))
    assert other.area_um2 == pytest.approx(one.area_um2 / 16)
    assert other.length_um == pytest.approx(one.length_um / 4)


def test_sizes_on_the_glass_are_none_where_the_pitch_is_unknown(inspector, image):
    inspector.detector.pitch_um = None
    one = _judge(inspector, image).defects[0]
    assert (one.area_um2, one.width_um, one.height_um, one.length_um) == (None,) * 4
    assert one.length_px >= max(one.bbox_px[2:]) * 0.7


def test_what_the_classifier_calls_clean_is_left_out(inspector, image):
    before = _judge(inspector, image)
    inspector.detector.clean_class = before.defects[0].label
    after = _judge(inspector, image)
    assert all(one.label != inspector.detector.clean_class for one in after.defects)
    assert len(after.defects) < len(before.defects)


def test_bundle_without_classifier_tells_no_type(detector_bundle, image):
    bundle = load_bundle(detector_bundle())
    files = {name: content for name, content in bundle.files.items() if name != GRAPH_TYPES}
    told = _judge(SeverityInspector(dataclasses.replace(bundle, files=files), Running(threads=1)), image)
    assert {(one.label, one.probability) for one in told.defects} == {("", None)}


def test_image_without_defect_is_good(inspector, tmp_path):
    inspector.detector.find = inspector.detector.find.model_copy(update={"least_px": 10_000})
    assert cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 40), 9, np.uint8))
    told = _judge(inspector, tmp_path / "a.png")
    assert (told.verdict, told.defects, told.pictures) == ("good", (), ())


def test_image_that_cannot_be_read_is_named(inspector, tmp_path):
    (tmp_path / "a.png").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"a\.png"):
        _judge(inspector, tmp_path / "a.png")


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_coarser_arithmetic_is_run(detector_bundle, image, precision):
    told = _judge(SeverityInspector(load_bundle(detector_bundle()), Running(threads=1, precision=precision)), image)
    assert told.verdict == "defective"


def test_length_follows_a_defect_that_lies_askew():
    mask_rc = np.eye(10, dtype=bool)
    one = Defect((0, 0, 40, 40), mask_rc, 1, 1, 1, int(mask_rc.sum()) * 16)
    assert length_px(one, 4) == pytest.approx(40 * math.sqrt(2))


def test_length_of_a_defect_at_the_rim_ends_there():
    assert length_px(Defect((0, 0, 18, 3), np.ones((1, 5), bool), 1, 1, 1, 54), 4) == pytest.approx(18)

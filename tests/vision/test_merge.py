"""Boxes and masks become objects."""

import numpy as np
import pytest

from glassline.data.annotations.boxes import Box
from glassline.data.captures.meta import ZoneMeta
from glassline.errors import SettingsError
from glassline.vision.current_model import current_model
from glassline.vision.double_threshold import Segmentation
from glassline.vision.light_states import LightResponse
from glassline.vision.merge import merge_boxes
from glassline.vision.shift import Shift

STILL = Shift(0, 0, 1)
META = ZoneMeta(
    product="P1", cycle="2026a", glass="G0001", kind="clean", zone=0, stage_x_mm=0, stage_y_mm=0, exposure_us=(900,),
    gain_db=0, azimuths_deg=(0,), camera_model="C1", camera_serial="7", pattern="mono", bit_depth=12, pitch_um=10,
    overlap_px=0, taken_utc="2026-01-02T03:04:05Z",
)  # fmt: skip


def _merge(boxes, mask_HW, strength_HW=None, shift=STILL):
    strength_HW = np.where(mask_HW, 50, 0).astype(np.float32) if strength_HW is None else strength_HW
    response = LightResponse(strength_HW, np.ones_like(strength_HW))
    found = Segmentation(strength_HW, mask_HW, mask_HW)
    return merge_boxes(boxes, shift, response, found, current_model("classical"), META)


@pytest.fixture
def mask_HW():
    mask_HW = np.zeros((40, 60), np.bool_)
    mask_HW[10:13, 5:50] = True
    return mask_HW


def test_object_is_what_box_and_model_share(mask_HW):
    (item,), _ = _merge([Box("scratch", (10, 5, 45, 20), "wiped")], mask_HW)
    expected_HW = np.zeros_like(mask_HW)
    expected_HW[10:13, 10:50] = True
    assert (item.whole_mask((40, 60)) == expected_HW).all()
    assert (item.by, item.drawn.label, item.drawn.status) == ("model", "scratch", "wiped")


def test_piece_that_mostly_lies_beyond_the_box_is_of_another_object(mask_HW):
    mask_HW[20:23, 5:12] = True
    mask_HW[20:23, 14:20] = True
    (item,), _ = _merge([Box("scratch", (4, 8, 17, 16))], mask_HW)
    assert (item.by, item.mask_HW[:10].any(), item.mask_HW.sum()) == ("model", False, 3 * 13)


def test_piece_that_crosses_is_kept_where_nothing_reaches_without_it(mask_HW):
    (item,), _ = _merge([Box("scratch", (20, 5, 10, 8))], mask_HW)
    assert (item.by, item.mask_HW.sum()) == ("model", 3 * 10)


def test_part_of_an_object_is_not_taken_for_it(mask_HW):
    mask_HW[:, 20:] = False
    strength_HW = np.random.default_rng(0).normal(0, 1, mask_HW.shape).astype(np.float32)
    strength_HW[10:13, 5:50] += 40
    (item,), _ = _merge([Box("scratch", (3, 5, 50, 15))], mask_HW, strength_HW)
    assert (item.by, item.mask_HW[:, 40:46].any()) == ("box", True)


def test_box_moves_with_the_shift(mask_HW):
    (item,), _ = _merge([Box("scratch", (22, 4, 10, 20))], mask_HW, shift=Shift(2, -1, 1))
    assert item.drawn.bbox == (20, 5, 10, 20)


def test_box_over_the_rim_is_cut_to_the_zone(mask_HW):
    (item,), outside = _merge([Box("scratch", (40, 5, 20, 20))], mask_HW, shift=Shift(-5, 0, 1))
    assert (item.drawn.bbox, outside) == ((45, 5, 15, 20), [])


def test_box_beside_the_zone_is_returned(mask_HW):
    box = Box("scratch", (50, 5, 5, 20))
    assert _merge([box], mask_HW, shift=Shift(-20, 0, 1)) == ([], [box])


@pytest.mark.parametrize("label", ["scratch", "dent"])
def test_box_without_the_model_is_segmented_by_itself(label):
    strength_HW = np.random.default_rng(0).normal(0, 1, (60, 90)).astype(np.float32)
    strength_HW[25:30, 15:60] += 60
    (item,), _ = _merge([Box(label, (12, 20, 51, 15))], np.zeros((60, 90), np.bool_), strength_HW)
    assert item.by == "box"
    assert item.mask_HW[6:9, 5:46].all()
    assert item.mask_HW.sum() < 1.5 * 5 * 45


def test_box_of_another_class_is_not_the_models(mask_HW):
    (item,), _ = _merge([Box("dent", (20, 5, 10, 20))], mask_HW)
    assert (item.by, item.model_HW.sum()) == ("box", 30)


def test_unknown_model_is_refused():
    with pytest.raises(
        SettingsError, match=r"model must be one of classical, or a bundle.zip that is there, got 'unet'"
    ):
        current_model("unet")

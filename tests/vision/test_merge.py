"""Boxes and masks become objects."""

import numpy as np
import pytest

from glassline.data.annotations.boxes import Box
from glassline.errors import SettingsError
from glassline.vision.current_model import current_model
from glassline.vision.double_threshold import Segmentation
from glassline.vision.light_states import LightResponse
from glassline.vision.merge import merge_boxes, segment_box
from glassline.vision.shift import Shift

STILL = Shift(0, 0, 1)


def _merge(boxes, mask_HW, strength_HW=None, shift=STILL):
    strength_HW = np.where(mask_HW, 50, 0).astype(np.float32) if strength_HW is None else strength_HW
    found = Segmentation(strength_HW, mask_HW, mask_HW)
    return merge_boxes(boxes, shift, LightResponse(strength_HW, strength_HW), found, current_model("classical"))


@pytest.fixture
def mask_HW():
    mask_HW = np.zeros((40, 60), np.bool_)
    mask_HW[10:13, 5:50] = True
    return mask_HW


def test_object_is_what_box_and_model_share(mask_HW):
    (item,), _ = _merge([Box("scratch", (20, 5, 10, 20), "wiped")], mask_HW)
    expected_HW = np.zeros_like(mask_HW)
    expected_HW[10:13, 20:30] = True
    assert (item.whole_mask((40, 60)) == expected_HW).all()
    assert (item.by, item.drawn.label, item.drawn.status) == ("model", "scratch", "wiped")


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
def test_box_without_the_model_is_segmented_by_itself(label, mask_HW):
    strength_HW = np.random.default_rng(0).normal(0, 1, mask_HW.shape).astype(np.float32)
    strength_HW[25:30, 25:35] = 40
    (item,), _ = _merge([Box(label, (20, 20, 20, 15))], mask_HW, strength_HW)
    assert (item.by, item.mask_HW.sum()) == ("box", 50)


def test_box_of_another_class_is_not_the_models(mask_HW):
    (item,), _ = _merge([Box("dent", (20, 5, 10, 20))], mask_HW)
    assert (item.by, item.model_HW.sum()) == ("box", 30)


@pytest.mark.parametrize("level", [-1.0, 0.0, 5.0])
def test_flat_box_keeps_all_its_pixels(level):
    assert segment_box(np.full((4, 5), level, np.float32)).all()


def test_box_of_noise_keeps_some_pixel():
    for seed in range(20):
        noise_HW = np.random.default_rng(seed).normal(0, 1, (6, 9)).astype(np.float32)
        assert segment_box(noise_HW).any()


def test_unknown_model_is_refused():
    with pytest.raises(SettingsError, match="model must be one of classical, got 'unet'"):
        current_model("unet")

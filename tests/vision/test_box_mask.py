"""The mask of what a box holds."""

import cv2
import numpy as np
import pytest

from glassline.vision.box_mask import at_scales, reach_of, segment_box, without_glare


def _noise(shape_HW=(80, 80), seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape_HW).astype(np.float32)


def _iou(one_HW, other_HW) -> float:
    return float((one_HW & other_HW).sum() / (one_HW | other_HW).sum())


def test_ring_is_filled_and_dust_beside_it_left_out():
    strength_HW, expected_HW = _noise(), np.zeros((80, 80), np.uint8)
    cv2.circle(strength_HW, (40, 40), 25, 30, 7)
    cv2.circle(strength_HW, (8, 8), 3, 900, -1)
    cv2.circle(expected_HW, (40, 40), 28, 1, -1)
    assert _iou(segment_box(at_scales(strength_HW), solid=True), expected_HW > 0) > 0.8


def test_line_is_not_filled():
    strength_HW, expected_HW = _noise(), np.zeros((80, 80), np.uint8)
    for image_HW, level in ((strength_HW, 60), (expected_HW, 1)):
        cv2.ellipse(image_HW, (40, 40), (33, 33), 0, 0, 300, level, 3)
    assert _iou(segment_box(at_scales(strength_HW), solid=False), expected_HW > 0) > 0.7


def test_outline_lies_at_a_share_of_the_peak_however_bright_the_mark():
    rows, columns = np.indices((80, 80))
    bell_HW = np.exp(-(((rows - 40) / 12) ** 2 + ((columns - 40) / 12) ** 2) / 2).astype(np.float32)
    areas = [segment_box(at_scales(_noise() + level * bell_HW), solid=True).sum() for level in (60, 600)]
    assert areas[0] == pytest.approx(areas[1], rel=0.1)
    assert areas[1] == pytest.approx((bell_HW >= 0.4).sum(), rel=0.1)


def test_mark_under_the_noise_of_a_pixel_is_found_blurred():
    strength_HW = _noise((200, 200))
    strength_HW[90:110, 60:140] += 2.5
    box = (slice(85, 115), slice(55, 145))
    expected_HW = np.zeros((200, 200), np.bool_)
    expected_HW[90:110, 60:140] = True
    mask_HW = segment_box([scale_HW[box] for scale_HW in at_scales(strength_HW)], solid=True)
    assert _iou(mask_HW, expected_HW[box]) > 0.6


def test_glare_is_taken_away_and_a_mark_in_it_stays():
    glare_HW = np.repeat(np.linspace(300, 0, 200, dtype=np.float32)[None], 200, axis=0)
    marked_HW = glare_HW.copy()
    marked_HW[80:100, 60:80] += 50
    box = (slice(75, 105), slice(55, 85))
    assert np.abs(without_glare(glare_HW, *box)).max() < 10
    assert without_glare(marked_HW, *box)[10, 10] == pytest.approx(50, abs=10)


def test_mark_at_the_rim_of_the_zone_is_no_glare():
    strength_HW = np.zeros((200, 200), np.float32)
    strength_HW[80:120, :10] = 50
    assert without_glare(strength_HW, slice(75, 125), slice(0, 14))[25, 5] == 50


@pytest.mark.parametrize("solid", [True, False])
@pytest.mark.parametrize("shape_HW", [(1, 1), (2, 9), (6, 9)])
def test_box_of_noise_or_nothing_keeps_some_pixel(shape_HW, solid):
    for image_HW in (_noise(shape_HW), np.zeros(shape_HW, np.float32), np.full(shape_HW, 90, np.float32)):
        assert segment_box(at_scales(image_HW), solid).any()


def test_reach_is_counted_along_the_longer_side():
    mask_HW = np.zeros((10, 40), np.bool_)
    mask_HW[2:9, 10:30] = True
    assert reach_of(mask_HW) == 0.5
    assert reach_of(mask_HW.T) == 0.5
    assert reach_of(np.zeros((3, 3), np.bool_)) == 0

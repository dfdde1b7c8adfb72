"""Filters for lines, edges and spots."""

import cv2
import numpy as np
import pytest

from glassline.vision.mark_filters import DIRECTIONS, MARGINS_PX, REACH_PX, MarkFilters
from glassline.vision.median_gradients import gradients


def _filtered(image_HW):
    gradients_2HW = np.stack(gradients(image_HW)).astype(np.float32)
    return [one_HW.copy() for one_HW in MarkFilters(*image_HW.shape).each(gradients_2HW)]


def test_a_level_line_is_summed_along_its_length():
    image_HW = np.zeros((100, 120), np.uint8)
    image_HW[50, 20:100] = 90
    filtered = _filtered(image_HW)
    # 3 spots, then lines of 16 and 32 px and an edge of 16 in the first direction, which is level.
    short_HW, long_HW = filtered[3], filtered[4]
    single = short_HW[50, 60] / 16
    assert abs(single) > 30
    assert long_HW[50, 60] == pytest.approx(32 * single, rel=1e-4)
    assert np.abs(long_HW[:, 60]).argmax() == 50


@pytest.mark.parametrize("direction", range(DIRECTIONS))
def test_a_line_is_strongest_in_its_own_direction(direction):
    image_HW = np.zeros((120, 120), np.uint8)
    reach = 40 * np.array([np.cos(direction * np.pi / DIRECTIONS), np.sin(direction * np.pi / DIRECTIONS)])
    first, last = (tuple(np.rint(60 + sign * reach).astype(int).tolist()) for sign in (-1, 1))
    cv2.line(image_HW, first, last, 90, 2, cv2.LINE_AA)
    at_middle = [np.abs(one_HW[56:65, 56:65]).max() for one_HW in _filtered(image_HW)[4::3]]
    assert int(np.argmax(at_middle)) == direction


def test_nothing_is_seen_beyond_the_reach():
    image_HW = np.zeros((140, 140), np.uint8)
    image_HW[70, 70] = 200
    y_HW, x_HW = np.mgrid[:140, :140]
    far_HW = np.maximum(abs(y_HW - 70), abs(x_HW - 70)) > REACH_PX + 3
    filtered = _filtered(image_HW)
    assert len(filtered) == len(MARGINS_PX)
    assert all(np.abs(one_HW[far_HW]).max() < 1e-2 for one_HW in filtered)


def test_maps_smaller_than_a_spot_hold_none():
    image_HW = np.random.default_rng(0).integers(0, 255, (16, 20)).astype(np.uint8)
    assert not _filtered(image_HW)[2].any()

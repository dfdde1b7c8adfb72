"""Shift between two captures of one zone."""

import numpy as np
import pytest

from glassline.vision.light_states import respond
from glassline.vision.shift import Shift, ShiftSettings, measure_shift

AZIMUTHS_DEG = (0, 30, 60, 90, 120, 150)


def _strength(frames_SHW):
    return respond(frames_SHW, "GRBG", AZIMUTHS_DEG).strength_HW


@pytest.mark.parametrize("shift_px", [(0, 0), (2.5, -1.25), (-7, 11)])
def test_shift_is_measured_to_a_part_of_a_pixel_under_pen_and_hot_pixels(dark_zone, shift_px):
    (first_SHW, _), (second_SHW, _) = dark_zone(), dark_zone(shift_px=shift_px, noise=1, pen=True)
    hot_N2 = np.random.default_rng(5).integers(0, 192, (20, 2))
    for frames_SHW in (first_SHW, second_SHW):
        frames_SHW[:, hot_N2[:, 0], hot_N2[:, 1]] = 3500
    shift = measure_shift(_strength(first_SHW), _strength(second_SHW), 10, ShiftSettings(tolerance_um=150))
    assert (shift.x_px, shift.y_px) == pytest.approx(shift_px, abs=0.4)
    assert shift.response > ShiftSettings().min_response


def test_two_different_glasses_are_not_within_the_tolerance(dark_zone):
    (first_SHW, _), (second_SHW, _) = dark_zone(seed=1, size_px=512), dark_zone(seed=2, size_px=512)
    shift = measure_shift(_strength(first_SHW), _strength(second_SHW), 10, ShiftSettings())
    assert shift.length_um(10) > 100 or shift.response < ShiftSettings().min_response


def test_what_moved_by_itself_does_not_outweigh_what_stayed(dark_zone):
    (first_SHW, _), (second_SHW, _) = dark_zone(dust=40, size_px=384), dark_zone(dust=40, size_px=384, noise=1)
    print_HW = np.random.default_rng(3).integers(0, 2, (100, 100)).astype(np.uint16) * 600
    first_SHW[:, 20:120, 240:340] += print_HW
    second_SHW[:, 60:160, 250:350] += print_HW
    shift = measure_shift(_strength(first_SHW), _strength(second_SHW), 10, ShiftSettings())
    assert (shift.x_px, shift.y_px) == pytest.approx((0, 0), abs=0.4)


def test_nothing_to_compare_has_no_response(dark_zone):
    (first_SHW, _), (second_SHW, _) = dark_zone(), dark_zone(scratches=0, dust=0)
    assert measure_shift(_strength(first_SHW), _strength(second_SHW), 10, ShiftSettings()) == Shift(0, 0, 0)


def test_length_is_counted_on_the_glass():
    assert Shift(3, -4, 1).length_um(10) == 50

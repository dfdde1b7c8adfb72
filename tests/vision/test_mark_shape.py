"""A mark out of its gradients."""

import cv2
import numpy as np

from glassline.vision.mark_shape import integrate, mark_mask, trimmed
from glassline.vision.median_gradients import gradients


def _line(width_px=2):
    line_HW = np.zeros((70, 90), np.uint8)
    cv2.line(line_HW, (20, 20), (65, 50), 200, width_px)
    return line_HW


def test_integrate_gives_a_mark_back():
    line_HW = _line(5)
    found_HW = integrate(*(one.astype(np.float32) for one in gradients(line_HW)))
    np.testing.assert_allclose(found_HW, line_HW, atol=1e-2)


def test_integrate_keeps_the_sign_of_a_dark_mark():
    x_HW, y_HW = (-one.astype(np.float32) for one in gradients(_line()))
    assert integrate(x_HW, y_HW).min() < -199


def test_mask_is_as_wide_as_the_line_and_not_as_its_gradients():
    generator = np.random.default_rng(0)
    line_HW = _line(3).astype(np.float32)
    noise_HW = generator.normal(0, 5, line_HW.shape).astype(np.float32)
    near_HW = cv2.dilate((line_HW > 0).astype(np.uint8), np.ones((21, 21), np.uint8)) > 0
    mask_HW = mark_mask(line_HW + noise_HW, noise_HW[::-1].copy(), near_HW, faint=False)
    truth_HW = line_HW > 0
    assert (mask_HW & truth_HW).sum() / (mask_HW | truth_HW).sum() > 0.8
    assert not mark_mask(noise_HW, noise_HW * 3, near_HW, faint=False).any()


def test_hairs_beside_a_faint_line_are_no_part_of_it():
    line_HW, near_HW = np.zeros((60, 60), np.float32), np.ones((60, 60), np.bool_)
    line_HW[30, 10:50] = 10
    line_HW[31:35, 20] = line_HW[26:30, 33] = 10
    found = mark_mask(line_HW, np.zeros_like(line_HW), near_HW, faint=True)
    rows, columns = (np.flatnonzero(found.any(axis=axis)) for axis in (1, 0))
    assert (rows.min(), rows.max()) == (30, 30)
    assert abs(columns.min() - 10) <= 2
    assert abs(columns.max() - 49) <= 2
    clear = mark_mask(line_HW, np.zeros_like(line_HW), near_HW, faint=False)
    assert clear.any(axis=1).sum() > 1


def test_a_hair_beside_a_level_line_does_not_widen_its_box() -> None:
    mask_hw = np.zeros((7, 120), np.bool_)
    mask_hw[2:5] = True
    mask_hw[:2, 40] = mask_hw[5:, 70:72] = True
    assert trimmed(mask_hw, np.full(mask_hw.shape, -20, np.float32)) == (slice(2, 5), slice(0, 120))


def test_the_thin_arm_of_an_angle_stays() -> None:
    mask_hw = np.zeros((60, 120), np.bool_)
    mask_hw[:3] = mask_hw[:, :2] = True
    rows, columns = trimmed(mask_hw, np.full(mask_hw.shape, 9, np.float32))
    assert rows == slice(0, 57)
    assert columns == slice(0, 120)

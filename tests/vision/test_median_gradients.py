"""Gradients and their median over a window."""

import numpy as np
import pytest

from glassline.vision import median_gradients
from glassline.vision.median_gradients import gradient_type, gradients, median


@pytest.mark.parametrize("count", [1, 2, 3, 5, 29, 30, 31, 60, 100, 101])
@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_median_is_that_of_numpy(count, dtype):
    values_KHW = np.random.default_rng(count).integers(-300, 300, (count, 9, 7)).astype(dtype)
    np.testing.assert_array_equal(median(values_KHW), np.median(values_KHW, axis=0).astype(np.float32))


def test_median_of_several_blocks_leaves_its_input_alone(monkeypatch):
    monkeypatch.setattr(median_gradients, "_BLOCK_VALUES", 64)
    values_KHW = np.random.default_rng(0).integers(-9, 9, (6, 11, 13)).astype(np.int16)
    before_KHW = values_KHW.copy()
    np.testing.assert_array_equal(median(values_KHW), np.median(values_KHW, axis=0))
    np.testing.assert_array_equal(values_KHW, before_KHW)


def test_gradients_are_differences_to_the_next_pixel():
    x_HW, y_HW = gradients(np.array([[10, 250, 0], [255, 0, 7]], np.uint8))
    np.testing.assert_array_equal(x_HW, [[240, -250, 0], [-255, 7, 0]])
    np.testing.assert_array_equal(y_HW, [[245, -250, 7], [0, 0, 0]])


def test_gradients_of_sixteen_bit_do_not_overflow():
    dtype = gradient_type(65535)
    x_HW, _ = gradients(np.array([[0, 65535, 0]], np.uint16), dtype)
    assert (dtype, x_HW.tolist()) == (np.int32, [[65535, -65535, 0]])
    assert gradient_type(4095) is gradient_type(32767) is np.int16

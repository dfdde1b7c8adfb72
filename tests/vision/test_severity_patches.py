"""Training patches with severity."""

import numpy as np
import pytest

from glassline.vision.severity import label_severity
from glassline.vision.severity_patches import severity_patch


def _image(shape=(64, 80)):
    rng = np.random.default_rng(0)
    grey_HW, mask_HW = rng.integers(90, 110, shape).astype(np.uint8), np.zeros(shape, bool)
    mask_HW[24:40, 30:50] = True
    grey_HW[mask_HW] += 100
    return grey_HW, mask_HW


def test_severity_patch_is_cut_as_it_is_without_variation():
    grey_HW, mask_HW = _image()
    patch_PP, severity_RC = severity_patch(grey_HW, mask_HW, (40, 32), 64, 4, None)
    np.testing.assert_array_equal(patch_PP, grey_HW[:, 8:72])
    np.testing.assert_array_equal(severity_RC, label_severity(grey_HW[:, 8:72], mask_HW[:, 8:72], 4).severity_RC)


@pytest.mark.parametrize("seed", range(6))
def test_severity_patch_moves_defect_and_label_together(seed):
    grey_HW, mask_HW = (np.kron(part, np.ones((4, 4), part.dtype)) for part in _image())
    patch_PP, severity_RC = severity_patch(grey_HW, mask_HW, (160, 128), 256, 4, np.random.default_rng(seed))
    bright_RC = patch_PP.reshape(64, 4, 64, 4).mean(axis=(1, 3)) > 150
    agreed = (bright_RC & (severity_RC > 0)).sum() / (bright_RC | (severity_RC > 0)).sum()
    assert agreed > 0.8


def test_severity_patch_is_the_same_for_the_same_generator():
    drawn = [severity_patch(*_image(), (40, 32), 64, 2, np.random.default_rng(3)) for _ in range(2)]
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other)


def test_severity_patch_of_an_image_smaller_than_it_is_mirrored():
    grey_HW, mask_HW = _image((20, 10))
    patch_PP, severity_RC = severity_patch(grey_HW, mask_HW, (5, 5), 64, 4, np.random.default_rng(0))
    assert patch_PP.shape == (64, 64)
    assert not severity_RC.any()


def test_severity_patch_keeps_colours():
    grey_HW, mask_HW = _image()
    rgb_HWC = np.stack([grey_HW, grey_HW // 2, grey_HW // 4], axis=-1)
    patch_PPC, _ = severity_patch(rgb_HWC, mask_HW, (40, 32), 64, 4, None)
    np.testing.assert_array_equal(patch_PPC, rgb_HWC[:, 8:72])


def test_severity_patch_without_a_clean_cell_is_none():
    grey_HW, _ = _image()
    assert severity_patch(grey_HW, np.ones_like(grey_HW, bool), (40, 32), 64, 4, None) is None

"""Robust means of gradients, and replicas that show noise alone."""

import cv2
import numpy as np
import pytest

from glassline.vision.clipped_means import balanced_signs, clipped_means


@pytest.mark.parametrize(("images", "reference"), [(30, 0), (31, 0), (30, 7), (5, 12)])
def test_what_all_images_share_cancels_in_replicas(images, reference):
    signs_RK = balanced_signs(images, 9, 0, reference)
    np.testing.assert_allclose(signs_RK[1:, :images].sum(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(signs_RK[1:, images:].sum(axis=1), 0, atol=1e-5)
    # Replicas are as noisy as what is looked at.
    np.testing.assert_allclose(np.square(signs_RK[1:]).sum(axis=1), np.square(signs_RK[0]).sum(), rtol=1e-5)


def test_what_the_reference_shares_with_the_window_cancels():
    signs_RK = balanced_signs(30, 1, 0, 10)
    assert signs_RK[0].sum() == pytest.approx(0, abs=1e-5)


def test_one_image_cannot_outvote_the_others():
    grey_KHW = np.random.default_rng(0).normal(1000, 5, (20, 80, 80)).round().astype(np.uint16)
    loud_KHW = grey_KHW.copy()
    loud_KHW[3, 40, 40] = 60000
    signs_RK = balanced_signs(20, 2, 0)
    moved = clipped_means(loud_KHW, signs_RK, (80, 80))[0] - clipped_means(grey_KHW, signs_RK, (80, 80))[0]
    assert np.abs(moved[:, 40, 40]).max() <= 3


def test_shading_that_all_images_share_is_taken_out():
    grey_KHW = np.random.default_rng(0).normal(100, 5, (20, 96, 96)) + np.arange(96)
    sums_2HW = clipped_means(grey_KHW.round().astype(np.uint8), balanced_signs(20, 2, 0), (96, 96))[0]
    assert abs(sums_2HW[:, :-1, :-1].mean()) < 0.1


def test_sums_are_those_of_clipped_differences():
    grey_KHW = np.random.default_rng(0).normal(100, 5, (5, 70, 81)).round().astype(np.uint8)
    signs_RK = balanced_signs(5, 2, 0)
    sums_R2HW = clipped_means(grey_KHW, signs_RK, (70, 80))
    x_KHW = np.diff(grey_KHW.astype(float), axis=2)
    y_KHW = np.diff(grey_KHW.astype(float)[:, :, :80], axis=1, append=grey_KHW[:, -1:, :80])
    around = {"ksize": (65, 65), "borderType": cv2.BORDER_REFLECT}
    scale_HW = cv2.blur((np.abs(x_KHW) + np.abs(y_KHW)).mean(axis=0) / 2, **around)
    for axis, one_KHW in enumerate((x_KHW, y_KHW)):
        summed_HW = np.tensordot(signs_RK[1], np.clip(one_KHW / scale_HW, -1, 1), 1)
        np.testing.assert_allclose(sums_R2HW[1, axis], summed_HW - cv2.blur(summed_HW, **around), atol=1e-4)

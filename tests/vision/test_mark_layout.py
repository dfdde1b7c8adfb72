"""What images share in part is no mark; what lies in it on all of them is."""

import numpy as np

from glassline.vision.mark_layout import without_layout
from glassline.vision.median_gradients import median

_NEAR = np.ones((20, 60), np.bool_)


def _kept(gradients_K2hw: np.ndarray) -> np.ndarray:
    median_2hw = np.stack([median(gradients_K2hw[:, axis]) for axis in (0, 1)])
    return without_layout(gradients_K2hw, median_2hw, _NEAR)


def _inked(share: float, seed: int = 0) -> np.ndarray:
    """Return gradients of 40 pages on which each pixel is inked on some, one apart from the other."""
    inked = np.random.default_rng(seed).random((40, 2, 20, 60)) < share
    return (inked * 200).astype(np.int16)


def test_ink_on_other_pages_at_each_pixel_is_no_mark() -> None:
    assert not _kept(_inked(0.6)).any()


def test_a_mark_on_every_page_is_left_of_a_layout() -> None:
    pages_K2hw = _inked(0.6)
    pages_K2hw[:, :, 5:15, 20:35] = -180
    kept_hw = _kept(pages_K2hw)
    assert kept_hw[8:12, 24:31].all()
    assert not kept_hw[:, :12].any()
    assert not kept_hw[:, 45:].any()


def test_a_mark_on_some_images_alone_stays() -> None:
    images_K2hw = np.random.default_rng(1).normal(0, 4, (40, 2, 20, 60)).round().astype(np.int16)
    images_K2hw[:24, :, 5:15, 20:35] += 150
    assert _kept(images_K2hw).all()


def test_a_mark_below_the_noise_stays() -> None:
    images_K2hw = np.random.default_rng(2).normal(6, 30, (40, 2, 20, 60)).round().astype(np.int16)
    assert _kept(images_K2hw).all()

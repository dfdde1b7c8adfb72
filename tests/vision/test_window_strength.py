"""Strength of repeating marks over a window."""

import numpy as np
import pytest

from glassline.vision import window_strength as module
from glassline.vision.window_strength import Reference, window_strength


def _noise(count=12, size=(128, 160), seed=0, dtype=np.uint8, level=100, sigma=8):
    drawn = np.random.default_rng(seed).normal(level, sigma, (count, *size))
    return drawn.round().clip(0, np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("seed", range(3))
def test_independent_images_stay_below_the_threshold(image_rows, seed):
    found = window_strength(image_rows(_noise(seed=seed)), range(12), seed)
    assert found.strength_HW.max() < found.tail.threshold(found.squares, 0.01)


def test_a_line_on_all_images_passes_the_threshold_where_it_is(image_rows):
    images_KHW = _noise()
    images_KHW[:, 60, 40:90] += 12
    found = window_strength(image_rows(images_KHW), range(12), 0)
    y, x = np.unravel_index(found.strength_HW.argmax(), found.strength_HW.shape)
    assert found.strength_HW.max() > found.tail.threshold(found.squares, 0.001)
    assert 55 <= y <= 65
    assert 35 <= x <= 95


def test_a_line_on_one_image_does_not(image_rows):
    images_KHW = _noise()
    images_KHW[4, 60, 40:90] = 255
    found = window_strength(image_rows(images_KHW), range(12), 0)
    assert found.strength_HW.max() < found.tail.threshold(found.squares, 0.01)


def test_what_good_images_show_too_is_nothing(image_rows):
    live_KHW, good_KHW = _noise(), _noise(seed=9)
    for images_KHW in (live_KHW, good_KHW):
        images_KHW[:, :, 80:] += 60
    live_KHW[:, 30, 20:70] += 25
    alone = window_strength(image_rows(live_KHW), range(12), 0)
    against = window_strength(image_rows(live_KHW), range(12), 0, Reference(image_rows(good_KHW), tuple(range(12))))
    threshold = against.tail.threshold(against.squares, 0.001)
    assert alone.strength_HW[90:, 78:82].max() > threshold
    assert against.strength_HW[90:, 78:82].max() < threshold
    assert against.strength_HW[28:33, 20:70].max() > threshold


@pytest.mark.parametrize(("dtype", "level", "sigma"), [(np.uint16, 2000, 100), (np.uint16, 32768, 4000)])
def test_deeper_images_give_what_eight_bit_would(image_rows, dtype, level, sigma):
    images_KHW = _noise(dtype=dtype, level=level, sigma=sigma)
    images_KHW[:, 60, 40:90] += int(1.5 * sigma)
    found = window_strength(image_rows(images_KHW), range(12), 0)
    assert found.strength_HW[58:63].max() > found.tail.threshold(found.squares, 0.001)


def test_tiles_give_what_the_whole_image_would(image_rows, monkeypatch):
    images_KHW = _noise(6, (256, 320), sigma=8)
    images_KHW[:, 128, 100:250] += 20
    whole = window_strength(image_rows(images_KHW), range(6), 0)
    monkeypatch.setattr(module, "TILE_PX", 128)
    tiled = window_strength(image_rows(images_KHW), range(6), 0)
    np.testing.assert_allclose(tiled.strength_HW.astype(float), whole.strength_HW.astype(float), atol=0.4)
    assert np.median(np.abs(tiled.strength_HW.astype(float) - whole.strength_HW)) < 0.02


def test_later_windows_of_a_view_know_clean_squares_from_the_first(image_rows):
    rows = image_rows(_noise(24))
    first = window_strength(rows, range(12), 0)
    second = window_strength(rows, range(12, 24), 12, clean_N=first.clean_N)
    assert second.clean_N[: len(first.clean_N)].tolist() == first.clean_N[-1200:].tolist()
    assert abs(second.tail.start - first.tail.start) < 0.1
    assert second.strength_HW.max() < second.tail.threshold(second.squares, 0.01)

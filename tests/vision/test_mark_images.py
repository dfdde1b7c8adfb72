"""Which images show a mark, and what it looks like on those."""

import cv2
import numpy as np
import pytest

from glassline.vision.mark_images import mark_levels, median_magnitude, with_images
from glassline.vision.repeating_marks import find_marks
from glassline.vision.window_strength import window_strength

WINDOW = 30


def _drawn(image_rows, level, width_px, share=1.0):
    """Return images, which of them are scratched, where the scratch is, and the mark that is found."""
    generator = np.random.default_rng(0)
    line_HW = np.zeros((144, 160), np.uint8)
    cv2.line(line_HW, (40, 50), (100, 90), 1, width_px)
    images_KHW = generator.normal(120, 10, (WINDOW, *line_HW.shape))
    shows_K = generator.permutation(WINDOW) < share * WINDOW
    images_KHW[shows_K] += level * (line_HW > 0)
    rows = image_rows(images_KHW.round().clip(0, 255).astype(np.uint8))
    (mark,) = find_marks(rows, range(WINDOW), window_strength(rows, range(WINDOW), 0), 0.001)
    return rows, shows_K, line_HW > 0, mark


@pytest.mark.parametrize("share", [1, 0.6])
def test_images_that_show_a_mark_are_named(image_rows, share):
    rows, shows_K, _, mark = _drawn(image_rows, 40, 2, share)
    told = with_images(rows, WINDOW, mark)
    assert told.images == tuple(np.flatnonzero(shows_K))
    assert told.image_error < 0.01


def test_the_mark_itself_can_be_taken_out(image_rows):
    rows, _, line_HW, mark = _drawn(image_rows, -50, 5)
    levels_hw, magnitude_hw = mark_levels(rows, mark)
    x, y, width, height = mark.bbox_px
    truth_hw = -50 * line_HW[y : y + height, x : x + width]
    assert np.abs((levels_hw - truth_hw)[mark.mask_hw]).mean() < 8
    assert magnitude_hw.shape == levels_hw.shape == (height, width)


def test_median_gradients_lie_beside_the_line(image_rows):
    rows, _, line_HW, mark = _drawn(image_rows, -50, 5)
    near_HW = cv2.dilate(line_HW.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    magnitude_HW = median_magnitude(rows, mark, (slice(0, 144), slice(0, 160)))
    assert magnitude_HW[near_HW].max() > 40
    assert magnitude_HW[~near_HW].max() < 20

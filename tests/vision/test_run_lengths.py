"""Run lengths of a mask in an image."""

import numpy as np
import pytest
from pycocotools import mask as coco

from glassline.vision.run_lengths import run_lengths


def _drawn(mask_hw, corner_xy, size_px):
    drawn_HW = np.zeros(size_px, np.uint8, order="F")
    x, y = corner_xy
    drawn_HW[y : y + mask_hw.shape[0], x : x + mask_hw.shape[1]] = mask_hw
    return drawn_HW


@pytest.mark.parametrize(
    ("shape", "corner_xy"),
    [((5, 7), (3, 2)), ((9, 12), (0, 0)), ((9, 1), (11, 0)), ((1, 12), (0, 8)), ((4, 4), (8, 5))],
)
@pytest.mark.parametrize("share", [0.5, 1.0, 0.0])
def test_run_lengths_are_those_of_the_drawn_mask(shape, corner_xy, share):
    mask_hw = np.random.default_rng(0).random(shape) < share
    told, drawn_HW = run_lengths(mask_hw, corner_xy, (9, 12)), _drawn(mask_hw, corner_xy, (9, 12))
    assert (coco.decode(told) == drawn_HW).all()
    assert told["counts"] == coco.encode(drawn_HW)["counts"].decode()
    assert told["size"] == [9, 12]

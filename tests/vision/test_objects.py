"""Annotated objects drawn: boxes, polygons, run lengths, and who lies on top."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from glassline.vision.objects import draw_objects

# pycocotools hands arrays over in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def _box(x: float, y: float, width: float, height: float) -> dict:
    return {"label": "dent", "bbox": [x, y, width, height], "segmentation": None}


def test_draw_objects_fills_a_box():
    index_HW = draw_objects([_box(2, 1, 3, 4)], (8, 9))
    for y, x in np.ndindex(8, 9):
        assert index_HW[y, x] == (1 if 2 <= x < 5 and 1 <= y < 5 else 0)
    assert index_HW.dtype == np.int32


def test_draw_objects_draws_nothing_without_objects():
    assert draw_objects([], (4, 5)).tolist() == np.zeros((4, 5)).tolist()


@pytest.mark.parametrize(("box", "pixels"), [((-3, 0, 5, 2), 4), ((7, 6, 5, 5), 4), ((-9, -9, 4, 4), 0)])
def test_draw_objects_cuts_a_box_at_the_border(box, pixels):
    assert int((draw_objects([_box(*box)], (8, 9)) > 0).sum()) == pixels


def test_draw_objects_fills_a_polygon():
    square = {"label": "dent", "bbox": [0, 0, 1, 1], "segmentation": [[2, 1, 6, 1, 6, 5, 2, 5]]}
    index_HW = draw_objects([square], (8, 9))
    for y, x in np.ndindex(8, 9):
        assert index_HW[y, x] == (1 if 2 <= x < 6 and 1 <= y < 5 else 0)


def test_draw_objects_joins_the_polygons_of_one_object():
    parts = [[0, 0, 2, 0, 2, 2, 0, 2], [4, 4, 7, 4, 7, 6, 4, 6]]
    index_HW = draw_objects([{"label": "dent", "bbox": [0, 0, 7, 6], "segmentation": parts}], (8, 9))
    assert (index_HW == 1).sum() == 4 + 6
    assert (index_HW[0, 0], index_HW[5, 6], index_HW[3, 3]) == (1, 1, 0)


@pytest.mark.parametrize("compressed", [True, False])
def test_draw_objects_decodes_run_lengths(compressed):
    mask_HW = np.random.default_rng(0).random((8, 9)) > 0.5
    runs = coco_mask.encode(np.asfortranarray(mask_HW.astype(np.uint8)))
    if compressed:
        runs = {"size": runs["size"], "counts": runs["counts"].decode()}
    else:  # columns first, zeros first
        flat, counts, value = mask_HW.T.ravel(), [0], False
        for pixel in flat:
            if pixel != value:
                counts.append(0)
                value = pixel
            counts[-1] += 1
        runs = {"size": [8, 9], "counts": counts}
    index_HW = draw_objects([{"label": "dent", "bbox": [0, 0, 9, 8], "segmentation": runs}], (8, 9))
    np.testing.assert_array_equal(index_HW == 1, mask_HW)


@pytest.mark.parametrize("small_first", [True, False])
def test_draw_objects_keeps_a_small_object_over_a_large_one(small_first):
    small, large = _box(3, 3, 2, 2), _box(0, 0, 8, 8)
    objects = [small, large] if small_first else [large, small]
    index_HW = draw_objects(objects, (8, 8))
    assert (index_HW == 1 + objects.index(small)).sum() == 4
    assert (index_HW == 1 + objects.index(large)).sum() == 60

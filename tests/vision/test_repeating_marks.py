"""Repeating marks: where they are."""

import cv2
import numpy as np
import pytest

from glassline.vision.repeating_marks import find_marks, same_place
from glassline.vision.window_strength import window_strength

WINDOW = 30


def _images(mark_HW, level, share=1.0, seed=0):
    generator = np.random.default_rng(seed)
    images_KHW = generator.normal(120, 10, (WINDOW, *mark_HW.shape))
    shows_K = generator.permutation(WINDOW) < share * WINDOW
    images_KHW[shows_K] += level * (mark_HW > 0)
    return images_KHW.round().clip(0, 255).astype(np.uint8)


def _found(image_rows, images_KHW):
    rows = image_rows(images_KHW)
    return find_marks(rows, range(WINDOW), window_strength(rows, range(WINDOW), 0), 0.001)


def _iou(first, second):
    boxes = np.zeros((2, 200, 200), np.bool_)
    for box_HW, (x, y, width, height) in zip(boxes, (first, second), strict=True):
        box_HW[y : y + height, x : x + width] = True
    return (boxes[0] & boxes[1]).sum() / (boxes[0] | boxes[1]).sum()


def _line(ends=((40, 50), (100, 90)), width_px=2):
    mark_HW = np.zeros((144, 160), np.uint8)
    cv2.line(mark_HW, *ends, 1, width_px)
    return mark_HW


@pytest.mark.parametrize(("level", "share"), [(60, 1), (-60, 0.6), (15, 1), (6, 1)])
def test_a_scratch_is_boxed_tightly(image_rows, level, share):
    mark_HW = _line()
    (mark,) = _found(image_rows, _images(mark_HW, level, share))
    assert _iou(mark.bbox_px, cv2.boundingRect(mark_HW)) > 0.6
    assert mark.confidence > 0.999


def test_an_upright_thin_line_is_boxed_tightly(image_rows):
    mark_HW = _line(((70, 30), (70, 110)), 1)
    (mark,) = _found(image_rows, _images(mark_HW, 40))
    assert _iou(mark.bbox_px, cv2.boundingRect(mark_HW)) > 0.6


def test_four_marks_are_four(image_rows):
    mark_HW = np.zeros((200, 200), np.uint8)
    for place in ((30, 40), (150, 50), (50, 160), (160, 150)):
        cv2.circle(mark_HW, place, 5, 1, -1)
    marks = _found(image_rows, _images(mark_HW, -60))
    assert len(marks) == 4
    assert all(max(_iou(mark.bbox_px, (x - 5, y - 5, 11, 11)) for mark in marks) > 0.6
               for x, y in ((30, 40), (150, 50), (50, 160), (160, 150)))  # fmt: skip


def test_marks_of_two_windows_are_of_one_place_or_not(image_rows):
    (first,) = _found(image_rows, _images(_line(), 40))
    (again,) = _found(image_rows, _images(_line(), 40, seed=1))
    (other,) = _found(image_rows, _images(_line(((100, 50), (40, 110))), 40))
    (apart,) = _found(image_rows, _images(_line(((20, 110), (60, 130))), 40))
    assert same_place(first, again)
    assert same_place(first, other)
    assert not same_place(first, apart)

"""The threshold of the highest mean IoU."""

import math

import numpy as np
import pytest

from glassline.analysis.segmentation import PixelCounts
from glassline.analysis.threshold import STEP, MeanIouCurve, pixel_scores
from glassline.errors import DataError

CELL_PX = 4


def _images(count: int = 3):
    """Images whose sides cells do not divide; the last one is clean."""
    rng = np.random.default_rng(0)
    for number in range(count):
        mask_HW = np.zeros((14, 19), bool)
        if number < count - 1:
            mask_HW[3:12, 5 + number : 13] = True
        near_RC = mask_HW[::CELL_PX, ::CELL_PX]
        yield np.clip(12 * rng.random((4, 5)) ** 2 + 6 * near_RC, 0, 12).astype(np.float32), mask_HW


def _curve():
    curve = MeanIouCurve()
    for severity_RC, mask_HW in _images():
        curve.add(severity_RC, mask_HW, CELL_PX)
    return curve


def _loop(threshold):
    predicted = annotated = both = 0
    ious = []
    for severity_RC, mask_HW in _images():
        one_both = one_union = 0
        for row, column in np.ndindex(mask_HW.shape):
            found = severity_RC[row // CELL_PX, column // CELL_PX] >= threshold
            predicted += found
            annotated += mask_HW[row, column]
            one_both += found and mask_HW[row, column]
            one_union += found or mask_HW[row, column]
        both += one_both
        if mask_HW.any():
            ious.append(one_both / one_union)
    precision, recall = both / predicted, both / annotated
    return [sum(ious) / len(ious), 2 * precision * recall / (precision + recall), precision, recall]


@pytest.mark.parametrize("number", [1, 64, 87, 150])
def test_curve_matches_plain_loops_over_pixels(number):
    row = _curve().curve().iloc[number - 1]
    assert row["threshold"] == number * STEP
    assert row[["mean_iou", "f1", "precision", "recall"]].tolist() == pytest.approx(_loop(number * STEP))


def test_best_is_the_middle_threshold_of_the_highest_mean_iou():
    rows, best = _curve().curve(), _curve().best()
    assert best.mean_iou == rows["mean_iou"].max()
    equals = rows.loc[rows["mean_iou"] == best.mean_iou, "threshold"]
    assert best.threshold == equals.iloc[len(equals) // 2]


def test_threshold_keeps_a_severity_that_equals_it_and_drops_the_next_below():
    for number in (1, 85, 255):
        at = np.float32(number * STEP)
        curve = MeanIouCurve()
        curve.add(np.array([[at, np.nextafter(at, np.float32(0))]]), np.array([[True, False]]), 1)
        assert curve.curve().loc[number - 1, ["precision", "recall"]].tolist() == [1, 1]


def test_clean_image_costs_precision_and_leaves_the_mean_iou_alone():
    curve = MeanIouCurve()
    curve.add(np.full((2, 2), 12, np.float32), np.ones((8, 8), bool), 4)
    curve.add(np.full((2, 2), 12, np.float32), np.zeros((8, 8), bool), 4)
    best = curve.best()
    assert (best.threshold, best.mean_iou, best.precision, best.recall) == (6, 1, 0.5, 1)


def test_nothing_predicted_has_no_precision():
    curve = MeanIouCurve()
    curve.add(np.zeros((2, 2), np.float32), np.ones((8, 8), bool), 4)
    best = curve.best()
    assert math.isnan(best.precision)
    assert (best.mean_iou, best.f1) == (0, 0)


def test_scores_of_pixels_find_without_tolerance_what_the_curve_finds():
    counts = PixelCounts()
    for severity_RC, mask_HW in _images():
        counts.add(pixel_scores(severity_RC, CELL_PX, mask_HW.shape), mask_HW)
    columns = ["f1", "precision", "recall"]
    assert counts.curve()[columns].equals(_curve().curve()[columns])


def test_curve_without_a_defect_is_refused():
    curve = MeanIouCurve()
    curve.add(np.zeros((2, 2), np.float32), np.zeros((8, 8), bool), 4)
    with pytest.raises(DataError, match="at least one image with an annotated defect"):
        curve.best()


@pytest.mark.parametrize("severity_RC", [np.zeros((2, 3)), np.full((2, 2), 12.1), np.full((2, 2), np.nan)])
def test_bad_maps_are_refused(severity_RC):
    with pytest.raises(DataError, match="severity must lie in 0 to 12 and have 2 x 2 cells"):
        MeanIouCurve().add(severity_RC, np.zeros((7, 8), bool), 4)

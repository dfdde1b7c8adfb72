"""Pixel metrics of score maps."""

import math

import numpy as np
import pytest

from glassline.analysis.segmentation import PixelCounts, in_blocks
from glassline.errors import DataError

ELLIPSES = {  # cv2's, by rows
    0: ["1"],
    2: ["00100", "11111", "11111", "11111", "00100"],
}


def _images(count: int = 3):
    rng = np.random.default_rng(0)
    for _ in range(count):
        truth_hw = rng.random((14, 17)) < 0.1
        yield np.clip(rng.random((14, 17)) ** 3 + 0.4 * truth_hw, 0, 1).astype(np.float32), truth_hw


def _near(mask_hw, row, column, tolerance_px):
    for dy, line in enumerate(ELLIPSES[tolerance_px]):
        for dx, used in enumerate(line):
            y, x = row + dy - tolerance_px, column + dx - tolerance_px
            if used == "1" and 0 <= y < mask_hw.shape[0] and 0 <= x < mask_hw.shape[1] and mask_hw[y, x]:
                return True
    return False


def _loop(images, threshold, tolerance_px):
    predicted = right = annotated = found = inter = union = 0
    ious = []
    for score_hw, truth_hw in images:
        mask_hw, one_inter, one_union = score_hw >= threshold, 0, 0
        for row, column in np.ndindex(truth_hw.shape):
            predicted += mask_hw[row, column]
            annotated += truth_hw[row, column]
            right += mask_hw[row, column] and _near(truth_hw, row, column, tolerance_px)
            found += truth_hw[row, column] and _near(mask_hw, row, column, tolerance_px)
            one_inter += mask_hw[row, column] and truth_hw[row, column]
            one_union += mask_hw[row, column] or truth_hw[row, column]
        inter, union = inter + one_inter, union + one_union
        ious.append(one_inter / one_union)
    precision, recall = right / predicted, found / annotated
    return [precision, recall, 2 * precision * recall / (precision + recall), inter / union, sum(ious) / len(ious)]


@pytest.mark.parametrize("tolerance_px", [0, 2])
@pytest.mark.parametrize("threshold", [0.25, 0.5, 199 / 256])
def test_metrics_match_plain_loops(tolerance_px, threshold):
    counts = PixelCounts(tolerance_px)
    for image in _images():
        counts.add(*image)
    found = counts.at(threshold)
    assert found.threshold == threshold
    told = [found.precision, found.recall, found.f1, found.iou, found.mean_iou]
    assert told == pytest.approx(_loop(list(_images()), threshold, tolerance_px))


def test_curve_rises_over_every_threshold_and_recall_falls():
    counts = PixelCounts()
    for image in _images():
        counts.add(*image)
    curve = counts.curve()
    assert curve["threshold"].tolist() == [number / 256 for number in range(1, 256)]
    assert (np.diff(curve["recall"]) <= 0).all()


def test_best_is_the_threshold_of_the_highest_f1():
    counts = PixelCounts()
    for image in _images():
        counts.add(*image)
    assert counts.best().f1 == counts.curve()["f1"].max()
    assert counts.best() == counts.at(counts.best().threshold)


def test_tolerance_forgives_so_many_pixels_and_no_more():
    truth_hw, score_hw = np.zeros((20, 20), bool), np.zeros((20, 20), np.float32)
    truth_hw[5], score_hw[10] = True, 1
    told = {}
    for tolerance_px in (0, 2, 4, 5):
        counts = PixelCounts(tolerance_px)
        counts.add(score_hw, truth_hw)
        told[tolerance_px] = counts.at(0.5).f1
    assert told == {0: 0, 2: 0, 4: 0, 5: 1}


def test_perfect_map_has_ones_up_to_the_last_threshold():
    counts = PixelCounts()
    truth_hw = np.eye(9, dtype=bool)
    counts.add(truth_hw.astype(np.float32), truth_hw)
    last = counts.curve().iloc[-1]
    assert (last[["precision", "recall", "f1", "iou", "mean_iou"]] == 1).all()


def test_image_without_pixels_of_either_kind_is_right_and_has_no_precision():
    counts = PixelCounts(2)
    counts.add(np.zeros((5, 5), np.float32), np.zeros((5, 5), bool))
    found = counts.at(0.5)
    assert math.isnan(found.precision)
    assert math.isnan(found.recall)
    assert math.isnan(found.iou)
    assert (found.f1, found.mean_iou) == (0, 1)


def test_false_alarm_on_a_clean_image_costs_the_mean_iou():
    counts = PixelCounts()
    counts.add(np.full((5, 5), 0.9, np.float32), np.zeros((5, 5), bool))
    assert (counts.at(0.5).precision, counts.at(0.5).mean_iou) == (0, 0)


def test_block_with_any_pixel_of_a_mask_is_in_it():
    mask_HW = np.zeros((5, 4), bool)
    mask_HW[1, 2] = mask_HW[4, 0] = True
    assert in_blocks(mask_HW, 2).tolist() == [[False, True], [False, False], [True, False]]


def test_bad_maps_are_refused():
    counts = PixelCounts()
    with pytest.raises(DataError, match=r"got 0 to 0, \(4, 4\) and \(8, 8\)"):
        counts.add(np.zeros((4, 4), np.float32), np.zeros((8, 8), bool))
    with pytest.raises(DataError, match="got 0 to 2"):
        counts.add(np.array([[0, 2]], np.float32), np.zeros((1, 2), bool))
    with pytest.raises(DataError, match="nan"):
        counts.add(np.array([[0, np.nan]], np.float32), np.zeros((1, 2), bool))
    with pytest.raises(DataError, match="at least one image"):
        counts.curve()

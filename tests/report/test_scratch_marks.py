import numpy as np

from glassline.report.scratch_marks import marks_of
from glassline.vision.scratches import Scratch

_SIZE = (64, 80)


def _scratch(bbox_px, peak=0.9):
    return Scratch(bbox_px, peak, 120.0, 8.0, 960.0, 4.0, 30.0)


def _truth(*rows):
    truth_HW = np.zeros(_SIZE, bool)
    for row in rows:
        truth_HW[row, 10:30] = True
    return truth_HW


def _outcomes(truth_HW, scratches, score_hw=None, high=0.5):
    return [(mark.outcome, mark.bbox_px) for mark in marks_of(truth_HW, scratches, _SIZE, high, score_hw, 0.25)]


def test_marks_are_misses_then_false_alarms_then_hits():
    found = [_scratch((12, 9, 10, 3)), _scratch((60, 50, 5, 5), 0.7)]
    assert _outcomes(_truth(10, 40), found) == [
        ("miss", (10, 40, 20, 1)), ("false alarm", (60, 50, 5, 5)), ("hit", (12, 9, 10, 3)),
    ]  # fmt: skip


def test_marks_know_no_outcome_without_truth():
    assert _outcomes(None, [_scratch((1, 1, 4, 4)), _scratch((9, 9, 4, 4), 0.4)]) == [("found", (1, 1, 4, 4))]


def test_marks_are_none_when_nothing_is_there():
    assert _outcomes(_truth(), []) == []
    assert _outcomes(None, []) == []


def test_scratch_below_the_threshold_is_a_miss_that_tells_its_peak():
    (mark,) = marks_of(_truth(10), [_scratch((10, 9, 20, 3), 0.4)], _SIZE, 0.5, None, 0.25)
    assert (mark.outcome, mark.peak) == ("miss", 0.4)


def test_scratch_counts_by_its_pixels_and_not_by_its_box():
    score_hw = np.zeros((32, 40), np.float32)
    score_hw[25, 5:15] = 0.9  # 40 px below the true one, within the same box
    found = [_scratch((10, 8, 20, 50))]
    assert [outcome for outcome, _ in _outcomes(_truth(10), found, score_hw)] == ["miss", "false alarm"]
    assert [outcome for outcome, _ in _outcomes(_truth(10), found)] == ["hit"]


def test_scratch_is_hit_a_few_px_beside_it():
    assert _outcomes(_truth(10), [_scratch((12, 15, 10, 2))])[0][0] == "hit"
    assert _outcomes(_truth(10), [_scratch((12, 17, 10, 2))])[0][0] == "miss"


def test_pieces_of_a_scratch_are_one():
    truth_HW = _truth(10)
    truth_HW[10, 18:22] = False
    assert _outcomes(truth_HW, []) == [("miss", (10, 10, 20, 1))]


def test_box_over_the_edge_of_the_zone_ends_there():
    (mark,) = marks_of(None, [_scratch((78, 60, 6, 8))], _SIZE, 0.5, np.ones((17, 21), np.float32), 0.25)
    assert mark.bbox_px == (78, 60, 2, 4)
    assert mark.mask_HW.all()


def test_spot_is_where_the_score_is_highest():
    score_hw = np.full((32, 40), 0.3, np.float32)
    score_hw[10, 20] = 0.9
    (mark,) = marks_of(None, [_scratch((10, 10, 60, 40))], _SIZE, 0.5, score_hw, 0.25)
    assert mark.spot_px == (40, 20)

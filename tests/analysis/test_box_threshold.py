"""The threshold that boxes are made at."""

import numpy as np

from glassline.analysis.box_threshold import best_threshold, threshold_curve
from glassline.vision.annotated_images import Annotated
from glassline.vision.defects import JoinSettings
from glassline.vision.heat_map import HeatSettings, heat_map

DEFECT = np.s_[40:60, 40:60]


def _annotated(*places) -> Annotated:
    index_HW = np.zeros((100, 100), np.int32)
    for number, place in enumerate(places, 1):
        index_HW[place] = number
    return Annotated(index_HW, ("dent",) * len(places))


def _heat(grey_HW: np.ndarray):
    return heat_map(
        lambda window: grey_HW[window.pixels], grey_HW.shape, lambda b: b.mean(axis=(1, 2)) / 255,
        HeatSettings(window_px=16, step_px=4),
    )  # fmt: skip


def test_the_threshold_is_that_of_the_highest_f1():
    defective, clean = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    defective[40:60, 40:60] = 230
    clean[20:50, 20:50] = 100  # a false alarm up to 0.39
    heats, truth = [_heat(defective), _heat(clean)], [_annotated(DEFECT), _annotated()]
    curve = threshold_curve(heats, iter(truth), JoinSettings())
    threshold = best_threshold(curve)
    assert 0.39 < threshold < 0.9
    assert curve["f1"].max() == 1
    assert curve["precision"].iloc[5] == 0.5
    best = curve[curve["f1"] == 1]
    assert len(best) > 1
    assert curve["mean_iou"][curve["threshold"] == threshold].item() == best["mean_iou"].max()


def test_no_threshold_is_best_where_nothing_is_hit():
    cold, hot = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    hot[:20, :20] = 200
    assert best_threshold(threshold_curve([_heat(cold)], [_annotated(DEFECT)], JoinSettings())) is None
    assert best_threshold(threshold_curve([_heat(hot)], [_annotated(DEFECT)], JoinSettings())) is None
    assert best_threshold(threshold_curve([], [], JoinSettings())) is None

"""Agreement between inspector, model and final mask."""

import math

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.agreement import Unit, agreement, kappa, overlap, unit_table, zone_units
from glassline.data.annotations.boxes import Box
from glassline.vision.double_threshold import Segmentation
from glassline.vision.merge import MergedObject


def _units(both: int, inspector_only: int, model_only: int, neither: int) -> pd.DataFrame:
    def unit(inspector: bool, model: bool) -> Unit:
        return Unit("z", "dent" if inspector else "control", "", "", inspector, model, 0, 0, 0, 0, 0, 0)

    counts = ((True, True, both), (True, False, inspector_only), (False, True, model_only), (False, False, neither))
    return unit_table([unit(inspector, model) for inspector, model, count in counts for _ in range(count)])


def test_kappa_is_agreement_beyond_chance():
    both, inspector_only, model_only, neither = counts = (20, 5, 10, 15)
    observed = (both + neither) / 50
    chance = (both + inspector_only) / 50 * (both + model_only) / 50
    chance += (model_only + neither) / 50 * (inspector_only + neither) / 50
    assert kappa(_units(*counts)) == pytest.approx((observed - chance) / (1 - chance))


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (5, 0, 0, 0), (5, 2, 0, 0), (0, 0, 3, 4)])
def test_kappa_is_nothing_when_one_says_the_same_of_all(counts):
    assert math.isnan(kappa(_units(*counts)))


@pytest.fixture
def units():
    mask_HW = np.zeros((30, 30), np.bool_)
    mask_HW[5:7, 5:15] = True  # in the box
    mask_HW[20:23, 20:24] = True  # in none
    candidates_HW = mask_HW.copy()
    candidates_HW[26:28, 2:4] = True  # dust
    window = (slice(4, 10), slice(4, 14))
    final_HW = np.zeros((6, 10), np.bool_)
    final_HW[1:4, 1:] = True
    item = MergedObject(Box("scratch", (4, 4, 10, 6)), 4, 4, final_HW, mask_HW[window], "box")
    return unit_table(zone_units("z", [item], Segmentation(mask_HW.astype(np.float32), mask_HW, candidates_HW)))


def test_units_are_boxes_and_candidates_outside_of_them(units):
    assert list(zip(units["label"], units["inspector"], units["model"], strict=True)) == [
        ("scratch", True, True),
        ("control", False, True),
        ("control", False, False),
    ]


def test_overlap_compares_boxes_with_boxes_and_masks_with_masks(units):
    found = overlap(units)
    assert found["inspector_model"] == pytest.approx(2 * 9 / (60 + 12))
    assert found["inspector_final"] == pytest.approx(27 / 60)
    assert found["model_final"] == pytest.approx(18 / (18 + 12 + 27 - 18))


def test_agreement_has_a_row_for_every_class_and_all(units):
    rows = agreement(units, ("scratch", "fold")).set_index("class")
    assert rows.index.tolist() == ["scratch", "fold", "all"]
    assert rows.loc["all", ["boxes", "both", "inspector_only", "model_only", "neither"]].tolist() == [1, 1, 0, 1, 1]
    assert rows.loc["fold", "boxes"] == 0
    assert math.isnan(rows.loc["fold", "iou_model_final"])


def test_agreement_of_nothing_is_nothing():
    assert math.isnan(agreement(unit_table([]), ()).loc[0, "kappa"])

"""Rank correlation of predicted with labelled severity."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from glassline.analysis.detection_tables import MEASURES
from glassline.analysis.severity_agreement import (
    labelled_severity,
    rank_correlation,
    severity_agreement,
)
from glassline.vision.severity import label_severity


def _annotated(labelled, predicted, partner=1):
    """Rows as `DetectionTables.annotated` has them, an image each."""
    rows = pd.DataFrame({"group": [str(number) for number in range(len(labelled))], "partner": partner})
    return rows.assign(
        **dict.fromkeys(MEASURES, np.asarray(labelled, float)),
        **{f"other_{name}": np.asarray(predicted, float) for name in MEASURES},
    )


def test_rank_correlation_matches_scipy_on_samples_repeated_as_often():
    rng = np.random.default_rng(0)
    first_N, second_N = rng.integers(0, 6, 30).astype(float), rng.normal(size=30)
    times_BN = rng.integers(0, 4, (5, 30))
    told = [spearmanr(first_N.repeat(times), second_N.repeat(times)).statistic for times in times_BN]
    assert rank_correlation(first_N, second_N, times_BN) == pytest.approx(told)


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0, 3.0]])
def test_rank_correlation_of_one_value_is_not_defined(values):
    values_N = np.array(values)
    assert math.isnan(rank_correlation(values_N, np.arange(len(values), dtype=float), np.ones((1, len(values))))[0])


def test_agreement_counts_matched_defects_and_holds_the_correlation_in_its_interval():
    rng = np.random.default_rng(0)
    labelled = rng.random(40)
    rows = _annotated(labelled, labelled + rng.normal(0, 0.2, 40), [0] * 10 + [1] * 30)
    told = severity_agreement(rows)
    assert told["measure"].tolist() == list(MEASURES)
    assert told["defects"].tolist() == [30] * 3
    alone = spearmanr(rows.loc[10:, MEASURES[0]], rows.loc[10:, f"other_{MEASURES[0]}"]).statistic
    assert told["spearman"][0] == pytest.approx(alone)
    assert ((told["low"] < told["spearman"]) & (told["spearman"] < told["high"])).all()


def test_agreement_of_groups_that_hold_one_defect_many_times_is_as_wide_as_without_copies():
    rng = np.random.default_rng(0)
    rows = _annotated(rng.random(12), rng.random(12))
    copied = pd.concat([rows] * 20, ignore_index=True)
    ends = ["low", "high"]
    np.testing.assert_allclose(severity_agreement(copied)[ends], severity_agreement(rows)[ends], atol=0.05)


def test_agreement_of_four_parts_has_no_interval():
    told = severity_agreement(_annotated([1, 2, 3, 4], [1, 3, 2, 4]))
    assert told["spearman"].tolist() == pytest.approx([0.8] * 3)
    assert told["low"].isna().all()


def test_agreement_of_no_defect_is_not_defined():
    told = severity_agreement(_annotated([], []))
    assert told["defects"].tolist() == [0] * 3
    assert told["spearman"].isna().all()


def test_labelled_severity_matches_a_plain_loop_over_cells():
    grey_HW = np.random.default_rng(0).integers(0, 256, (11, 30)).astype(np.uint8)
    index_HW = np.zeros((11, 30), np.int32)
    index_HW[:6, 4:9], index_HW[:6, 9:15], index_HW[9:, 20:24], index_HW[8, 0] = 1, 2, 3, 4
    labels = label_severity(grey_HW, index_HW > 0, 4)
    told = {number: [] for number in range(1, 5)}
    for row, column in np.ndindex(labels.severity_RC.shape):
        cell = index_HW[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        count = [(cell == number).sum() for number in range(1, 5)]
        if labels.defect_RC[row, column]:
            told[1 + int(np.argmax(count))].append((float(labels.severity_RC[row, column]), cell.size))
    expected = [
        [max(s for s, _ in cells), sum(s for s, _ in cells) / len(cells), sum(s * px for s, px in cells)]
        if cells else [math.nan] * 3 for cells in told.values()
    ]  # fmt: skip
    assert math.isnan(expected[3][0])
    np.testing.assert_allclose(labelled_severity(labels, index_HW, 4, 4), expected)

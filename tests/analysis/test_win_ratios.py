"""Ratios of wins against counts by hand."""

import numpy as np
import pytest

from glassline.analysis.win_ratios import win_ratios
from glassline.errors import DataError


def test_ratios_count_wins_and_half_of_the_ties():
    loss_SN = np.array([[1, 1, 1, 1, 2.0], [2, 2, 0, 1, 2]])
    # Two wins, one loss, two ties: 3 against 2, one more each.
    np.testing.assert_allclose(win_ratios(loss_SN), [[1, 4 / 3], [3 / 4, 1]])


def test_ratios_are_reciprocal_and_on_saatys_scale():
    loss_SN = np.random.default_rng(0).normal(size=(6, 200)) + 3 * np.arange(6)[:, None]
    ratio_SS = win_ratios(loss_SN)
    np.testing.assert_allclose(ratio_SS * ratio_SS.T, 1)
    assert ratio_SS.max() == 9
    assert (np.diag(ratio_SS) == 1).all()


def test_equal_sources_are_worth_the_same():
    np.testing.assert_array_equal(win_ratios(np.full((3, 4), 0.7)), np.ones((3, 3)))


def test_weighted_samples_count_as_often_as_they_weigh():
    loss_SN = np.random.default_rng(0).integers(0, 3, (4, 6))
    times_N = np.array([1, 3, 1, 2, 2, 3])
    # Two of each in all: 12 samples, or 6 of these weights with their wins halved.
    repeated_SS = win_ratios(np.repeat(loss_SN, times_N, axis=1))
    wins_SS = (repeated_SS * 14 / (1 + repeated_SS) - 1) / 2
    np.testing.assert_allclose(win_ratios(loss_SN, times_N * 0.1), (wins_SS + 1) / (wins_SS.T + 1))


@pytest.mark.parametrize("weight_N", [[1], [1, 0], [1, np.nan]])
def test_what_is_no_weight_is_refused(weight_N):
    with pytest.raises(DataError, match="one number > 0 for each of 2 samples"):
        win_ratios([[1, 2], [2, 1]], weight_N)


def test_one_sample_moves_little():
    np.testing.assert_allclose(win_ratios([[0.1], [0.2]]), [[1, 2], [0.5, 1]])


@pytest.mark.parametrize(
    ("losses", "match"),
    [([[1, np.nan]], "finite, got nan"), (np.zeros((2, 0)), "got \\(2, 0\\)"), ([1, 2], "got \\(2,\\)")],
)
def test_what_is_no_loss_is_refused(losses, match):
    with pytest.raises(DataError, match=match):
        win_ratios(losses)

"""Found defects matched with annotated ones."""

from itertools import permutations

import numpy as np
import pytest

from glassline.analysis.matching import match_defects
from glassline.errors import DataError


def _patchwork(seed, defects):
    """An index image of rectangles, some of which hide others."""
    rng = np.random.default_rng(seed)
    index_HW = np.zeros((20, 24), np.int32)
    for number in range(1, defects + 1):
        y, x = rng.integers(0, 14), rng.integers(0, 18)
        index_HW[y : y + rng.integers(2, 9), x : x + rng.integers(2, 9)] = number
    return index_HW


def _iou(first_HW, second_HW):
    both = either = 0
    for one, other in zip(first_HW.ravel(), second_HW.ravel(), strict=True):
        both += one and other
        either += one or other
    return both / either if either else 0


def _best_sum(iou_NM):
    """Try every assignment."""
    rows, columns = iou_NM.shape
    if rows > columns:
        return _best_sum(iou_NM.T)
    return max(sum(iou_NM[row, one[row]] for row in range(rows)) for one in permutations(range(columns), rows))


@pytest.mark.parametrize(("seed", "annotated", "found"), [(0, 4, 5), (1, 5, 3), (2, 1, 6), (3, 6, 6), (4, 3, 1)])
def test_matches_have_the_largest_sum_of_iou_of_all_assignments(seed, annotated, found):
    annotated_HW, found_HW = _patchwork(seed, annotated), _patchwork(100 + seed, found)
    iou_NM = np.array([[_iou(annotated_HW == row + 1, found_HW == column + 1) for column in range(found)]
                       for row in range(annotated)])  # fmt: skip
    matches = match_defects(annotated_HW, found_HW, annotated, found)
    told = [iou_NM[row, column] if column >= 0 else 0 for row, column in enumerate(matches.partner_N)]
    assert matches.iou_N.tolist() == told
    assert sum(told) == pytest.approx(_best_sum(iou_NM))
    assert matches.annotated_px_N.tolist() == [(annotated_HW == row + 1).sum() for row in range(annotated)]
    assert matches.both_px == ((annotated_HW > 0) & (found_HW > 0)).sum()


def test_matches_tell_partners_from_both_sides():
    matches = match_defects(_patchwork(3, 6), _patchwork(103, 6), 6, 6)
    pairs = {(row, int(column)) for row, column in enumerate(matches.partner_N) if column >= 0}
    assert pairs == {(int(row), column) for column, row in enumerate(matches.partner_M) if row >= 0}
    assert len({column for _, column in pairs}) == len(pairs) > 2


def test_one_found_defect_over_two_annotated_ones_is_that_of_the_nearer():
    annotated_HW = np.array([[1, 0, 2, 2]], np.int32)
    matches = match_defects(annotated_HW, np.ones((1, 4), np.int32), 2, 1)
    assert (matches.partner_N.tolist(), matches.iou_N.tolist()) == ([-1, 0], [0, 0.5])


def test_defects_that_only_touch_are_no_match():
    matches = match_defects(np.array([[1, 1, 0, 0]], np.int32), np.array([[0, 0, 1, 1]], np.int32), 1, 1)
    assert (matches.partner_N.tolist(), matches.partner_M.tolist(), matches.both_px) == ([-1], [-1], 0)


@pytest.mark.parametrize(("annotated", "found"), [(0, 0), (2, 0), (0, 3)])
def test_images_without_defects_of_one_kind_match_nothing(annotated, found):
    matches = match_defects(_patchwork(0, annotated), _patchwork(1, found), annotated, found)
    assert (matches.partner_N.tolist(), matches.partner_M.tolist()) == ([-1] * annotated, [-1] * found)


def test_thousands_of_defects_are_matched_without_a_table_of_all_pairs():
    index_HW = np.kron(np.arange(1, 10_001, dtype=np.int32).reshape(100, 100), np.ones((2, 2), np.int32))
    matches = match_defects(index_HW, index_HW, 10_000, 10_000)
    assert matches.partner_N.tolist() == list(range(10_000))


@pytest.mark.parametrize("found_HW", [np.zeros((2, 3), np.int32), np.full((2, 2), 2, np.int32)])
def test_index_images_that_do_not_fit_are_refused(found_HW):
    with pytest.raises(DataError, match="one size and hold 0 to the number of defects"):
        match_defects(np.zeros((2, 2), np.int32), found_HW, 0, 1)

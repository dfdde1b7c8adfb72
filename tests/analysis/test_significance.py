import math

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.significance import accuracy_difference, chi_square, mcnemar_matrix, mcnemar_test
from glassline.errors import DataError


def paired(n01, n10, both=5, neither=3):
    """Return flags of model and baseline with the stated disagreements."""
    right = [False] * n01 + [True] * n10 + [True] * both + [False] * neither
    baseline = [True] * n01 + [False] * n10 + [True] * both + [False] * neither
    return np.array(right), np.array(baseline)


def test_chi_square_matches_plain_loops():
    model, baseline = [[50, 6, 4], [3, 30, 7], [1, 2, 27]], [[45, 10, 5], [6, 28, 6], [4, 4, 22]]
    found = chi_square(np.array(model), np.array(baseline), "abc")
    total = 0.0
    for entry, observed, expected in zip(found.classes, model, baseline, strict=True):
        statistic = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
        assert entry.statistic == pytest.approx(statistic)
        assert entry.p == pytest.approx(math.exp(-statistic / 2))  # two degrees of freedom
        total += statistic
    assert (found.statistic, found.dof) == (pytest.approx(total), 6)
    # Six degrees of freedom: survival e^-h (1 + h + h²/2) with h half the statistic.
    half = total / 2
    assert found.p == pytest.approx(math.exp(-half) * (1 + half + half**2 / 2))


def test_chi_square_merges_cells_expected_zero_into_the_smallest_other_and_says_so():
    model = np.array([[80, 9, 8, 3], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    baseline = np.array([[85, 15, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    entry = chi_square(model, baseline, "abcd").classes[0]
    assert entry.statistic == pytest.approx((80 - 85) ** 2 / 85 + (9 + 8 + 3 - 15) ** 2 / 15)
    assert (entry.dof, entry.merged) == (1, "c, d into b")


def test_chi_square_is_zero_for_equal_matrices():
    matrix = np.array([[50, 6], [3, 30]])
    found = chi_square(matrix, matrix, "ab")
    assert (found.statistic, found.dof, found.p) == (0, 2, 1)


def test_chi_square_has_no_freedom_when_the_baseline_is_perfect():
    found = chi_square(np.array([[9, 1], [0, 10]]), np.array([[10, 0], [0, 10]]), "ab")
    assert (found.statistic, found.dof, found.p) == (0, 0, 1)
    assert found.classes[0].merged == "b into a"


def test_chi_square_counts_an_absent_class_as_nothing():
    found = chi_square(np.array([[9, 1], [0, 0]]), np.array([[8, 2], [0, 0]]), "ab")
    assert (found.classes[1].samples, found.classes[1].dof, found.dof) == (0, 0, 1)


def test_chi_square_refuses_other_samples():
    with pytest.raises(DataError, match="got 10 and 11 of class 'b'; evaluate both"):
        chi_square(np.array([[9, 1], [0, 10]]), np.array([[9, 1], [1, 10]]), "ab")


def test_mcnemar_is_exact_when_few_differ():
    found = mcnemar_test(*paired(n01=2, n10=9))
    assert (found.n01, found.n10, found.exact) == (2, 9, True)
    assert found.p == pytest.approx(2 * sum(math.comb(11, k) for k in range(3)) / 2**11)


def test_mcnemar_uses_corrected_chi_square_when_many_differ():
    found = mcnemar_test(*paired(n01=10, n10=30))
    assert not found.exact
    assert found.statistic == pytest.approx((abs(10 - 30) - 1) ** 2 / 40)
    assert found.p == pytest.approx(math.erfc(math.sqrt(found.statistic / 2)))


def test_mcnemar_changes_method_at_25_disagreements():
    assert mcnemar_test(*paired(n01=12, n10=12)).exact
    assert not mcnemar_test(*paired(n01=12, n10=13)).exact


def test_mcnemar_finds_nothing_when_none_differ():
    found = mcnemar_test(*paired(n01=0, n10=0))
    assert (found.n01, found.n10, found.p) == (0, 0, 1)


def test_mcnemar_refuses_unequal_lengths_and_no_sample():
    for right, baseline in ((np.ones(2, bool), np.ones(3, bool)), (np.ones(0, bool), np.ones(0, bool))):
        with pytest.raises(DataError, match="both models must judge the same samples"):
            mcnemar_test(right, baseline)


def test_accuracy_difference_is_that_of_the_means_and_lies_in_its_interval():
    rng = np.random.default_rng(0)
    right, baseline, groups = rng.random(600) < 0.9, rng.random(600) < 0.7, np.repeat(np.arange(60), 10)
    found = accuracy_difference(right, baseline, groups, seed=0)
    assert found.difference == pytest.approx(right.mean() - baseline.mean())
    assert 0 < found.low < found.difference < found.high < 0.4


def test_accuracy_difference_matches_a_bootstrap_by_plain_loops():
    rng = np.random.default_rng(1)
    right, baseline, groups = rng.random(200) < 0.9, rng.random(200) < 0.7, np.repeat(np.arange(40), 5)
    found = accuracy_difference(right, baseline, groups, seed=0)
    draws = []
    for _ in range(2000):
        rows = [row for group in rng.integers(40, size=40) for row in range(group * 5, group * 5 + 5)]
        draws.append(sum(int(right[row]) - int(baseline[row]) for row in rows) / len(rows))
    draws.sort()
    assert found.low == pytest.approx(draws[50], abs=0.02)
    assert found.high == pytest.approx(draws[1950], abs=0.02)


def test_accuracy_difference_widens_when_groups_agree_within():
    rng = np.random.default_rng(0)
    gain = np.repeat(rng.random(30) < 0.6, 20)
    together = accuracy_difference(gain, ~gain, np.repeat(np.arange(30), 20), seed=0)
    apart = accuracy_difference(gain, ~gain, np.arange(600), seed=0)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_accuracy_difference_is_repeatable_by_seed():
    right, baseline = paired(n01=10, n10=30)
    groups = np.array([f"glass-{row % 12}" for row in range(len(right))])
    assert accuracy_difference(right, baseline, groups, seed=3) == accuracy_difference(right, baseline, groups, seed=3)


def test_accuracy_difference_is_zero_for_equal_models():
    right = np.array([True, False, True, True])
    found = accuracy_difference(right, right, np.array(["a", "a", "b", "b"]), seed=0)
    assert (found.difference, found.low, found.high) == (0, 0, 0)


def test_accuracy_difference_refuses_a_single_group():
    with pytest.raises(DataError, match=r"groups must be at least 2, got .* 1 groups"):
        accuracy_difference(np.ones(3, bool), np.ones(3, bool), np.array(["a", "a", "a"]), seed=0)


def test_mcnemar_matrix_corrects_for_the_number_of_pairs():
    rng = np.random.default_rng(0)
    right = pd.DataFrame({name: rng.random(400) < share for name, share in (("a", 0.9), ("b", 0.8), ("c", 0.79))})
    p_MM = mcnemar_matrix(right)
    raw = {
        pair: mcnemar_test(right[pair[0]].to_numpy(), right[pair[1]].to_numpy()).p
        for pair in (("a", "b"), ("a", "c"), ("b", "c"))
    }
    smallest, middle, largest = sorted(raw, key=raw.__getitem__)
    assert p_MM.loc[smallest] == pytest.approx(min(3 * raw[smallest], 1))
    assert p_MM.loc[middle] == pytest.approx(max(3 * raw[smallest], 2 * raw[middle]))
    assert p_MM.loc[largest] == pytest.approx(max(2 * raw[middle], raw[largest]))
    assert p_MM.equals(p_MM.T)
    assert np.isnan(np.diag(p_MM)).all()


def test_mcnemar_matrix_of_one_method_has_no_pair():
    assert mcnemar_matrix(pd.DataFrame({"a": [True, False]})).isna().all(axis=None)

"""Weights of the Analytic Hierarchy Process, and what it refuses."""

import numpy as np
import pytest

from glassline.analysis.ahp import ahp, random_index
from glassline.errors import DataError


def _ratios(upper):
    """Reciprocal matrix of what stands right of the diagonal, row by row."""
    count = round((1 + np.sqrt(1 + 8 * len(upper))) / 2)
    ratio_SS = np.ones((count, count))
    ratio_SS[np.triu_indices(count, 1)] = upper
    ratio_SS.T[np.triu_indices(count, 1)] = 1 / np.array(upper)
    return ratio_SS


def test_ratios_of_weights_give_the_weights():
    weight_S = np.array([0.5, 0.3, 0.15, 0.05])
    found = ahp(weight_S[:, None] / weight_S)
    np.testing.assert_allclose(found.weight_S, weight_S)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)


def test_three_ratios_agree_with_the_closed_form():
    # Of three, the eigenvector is the geometric mean of rows, and its value 1 + d + 1/d, d the cube root of the detour.
    ratio_SS = _ratios([2, 5, 3])
    found, detour = ahp(ratio_SS), (2 * 3 / 5) ** (1 / 3)
    mean_S = ratio_SS.prod(axis=1) ** (1 / 3)
    np.testing.assert_allclose(found.weight_S, mean_S / mean_S.sum())
    assert found.consistency_ratio == pytest.approx((1 + detour + 1 / detour - 3) / 2 / 0.58)


@pytest.mark.parametrize(("ratios", "weights"), [([[1.0]], [1]), ([[1, 4], [0.25, 1]], [0.8, 0.2])])
def test_one_or_two_sources_cannot_contradict(ratios, weights):
    found = ahp(ratios)
    np.testing.assert_allclose(found.weight_S, weights)
    assert found.consistency_ratio == 0


def test_permuted_sources_get_permuted_weights():
    ratio_SS, order = _ratios([2, 5, 3, 4, 2, 1]), [2, 0, 3, 1]
    np.testing.assert_allclose(ahp(ratio_SS[np.ix_(order, order)], 1).weight_S, ahp(ratio_SS, 1).weight_S[order])


def test_a_contradiction_names_its_three_sources():
    # d beats a although a beats b and b beats d; c agrees with all.
    ratio_SS = _ratios([3, 1, 1 / 5, 1 / 3, 4, 1])
    with pytest.raises(DataError, match=r"must be <= 0.1, got 0.\d+ \((?=.*a : )(?=.*b : )(?=.*d\b).*more samples"):
        ahp(ratio_SS, names=["a", "b", "c", "d"])
    assert ahp(ratio_SS, largest_inconsistency=1).consistency_ratio > 0.1


@pytest.mark.parametrize(
    ("ratios", "match"),
    [
        ([[1, 2]], "square matrix of at least one source, got shape \\(1, 2\\)"),
        (np.zeros((0, 0)), "at least one source"),
        ([[1, 0], [1, 1]], "finite and > 0, got 0"),
        ([[1, np.inf], [1, 1]], "finite and > 0, got inf"),
        ([[1, 2], [0.4, 1]], "reciprocal, got 2 and 0.4 for the pair 0, 1"),
    ],
)
def test_what_are_no_ratios_is_refused(ratios, match):
    with pytest.raises(DataError, match=match):
        ahp(ratios)


@pytest.mark.parametrize("count", [5, 18])
def test_random_index_is_the_mean_of_random_ratios(count):
    generator = np.random.default_rng(0)
    scale = np.concatenate([np.arange(1, 10), 1 / np.arange(2, 10)])
    drawn = [_ratios(generator.choice(scale, count * (count - 1) // 2)) for _ in range(300)]
    index = [(np.linalg.eigvals(one).real.max() - count) / (count - 1) for one in drawn]
    assert random_index(count) == pytest.approx(np.mean(index), abs=0.06)

"""The bound on a difference of paired rates: a search by hand, hand arithmetic, degenerate cases, groups."""

import numpy as np
import pytest
from scipy.stats import norm

from glassline.analysis.paired_rates import paired_p, rate_difference
from glassline.analysis.significance import mcnemar_test


def _units(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    first = [True] * (both + only_first) + [False] * (only_second + neither)
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return np.array(first), np.array(second), [f"g{n}" for n in range(len(first))]


def _searched(only_first: int, only_second: int, units: int, confidence: float) -> float:
    """Tango's bound with plain loops: the likeliest multinomial of each difference, by trial."""
    z, found = norm.ppf(confidence), -1.0
    for d in np.linspace(-0.999, 0.999, 1999):
        best, q_best = -np.inf, 0.0
        for q in np.linspace(max(0, -d), (1 - d) / 2, 401)[1:-1]:
            likelihood = only_first * np.log(q + d) + only_second * np.log(q)
            likelihood += (units - only_first - only_second) * np.log(1 - 2 * q - d)
            if likelihood > best:
                best, q_best = likelihood, q
        if (only_first - only_second - units * d) / np.sqrt(units * (2 * q_best + d - d * d)) >= -z:
            found = max(found, d)
    return found


@pytest.mark.parametrize("counts", [(4, 9, 32), (12, 2, 50)])
def test_rate_difference_is_that_of_a_search_over_every_difference(counts: tuple[int, int, int]) -> None:
    only_first, only_second, units = counts
    found = rate_difference(*_units(0, only_first, only_second, units - only_first - only_second), confidence=0.95)
    assert found.upper == pytest.approx(_searched(only_first, only_second, units, 0.95), abs=2e-3)
    assert found.low == pytest.approx(-_searched(only_second, only_first, units, 0.95), abs=2e-3)
    assert found.difference == (only_first - only_second) / units


def test_rate_difference_where_no_unit_differs_is_bounded_by_hand_arithmetic() -> None:
    found = rate_difference(*_units(3, 0, 0, 85), confidence=0.95)
    assert found.upper == pytest.approx(1.6449**2 / (88 + 1.6449**2), rel=1e-3)  # 2.98 %
    assert (found.difference, found.low) == (0, -found.upper)


def test_rate_difference_without_units_knows_nothing() -> None:
    found = rate_difference(np.array([], bool), np.array([], bool), [], 0.95)
    assert (found.units, found.low, found.upper) == (0, -1, 1)


@pytest.mark.parametrize("counts", [(0, 5, 0, 0), (0, 0, 5, 0), (5, 0, 0, 0), (0, 1, 0, 0)])
def test_rate_difference_stays_within_the_possible(counts: tuple[int, int, int, int]) -> None:
    found = rate_difference(*_units(*counts), confidence=0.95)
    assert -1 <= found.low <= found.difference <= found.upper <= 1


def test_rate_difference_is_wider_where_units_of_a_group_go_wrong_together() -> None:
    first_N, second_N, single = _units(0, 12, 4, 64)
    together = [f"glass{n // 4}" for n in range(80)]
    assert rate_difference(first_N, second_N, together, 0.95).upper > (
        rate_difference(first_N, second_N, single, 0.95).upper + 0.05
    )


def test_paired_p_is_mcnemars_where_each_unit_is_a_group() -> None:
    first_N, second_N, single = _units(40, 12, 2, 10)
    assert paired_p(first_N, second_N, single) == mcnemar_test(first_N, second_N).p


def test_paired_p_counts_units_of_a_group_that_go_together_for_less() -> None:
    first_N, second_N, _ = _units(40, 12, 2, 10)
    assert mcnemar_test(first_N, second_N).p < 0.05
    assert paired_p(first_N, second_N, [f"glass{n // 16}" for n in range(64)]) > 0.05
    assert paired_p(first_N, second_N, ["one"] * 64) == 1


def test_paired_p_of_models_that_agree_is_one() -> None:
    assert paired_p(*_units(4, 0, 0, 4)) == 1

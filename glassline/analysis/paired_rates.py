"""By how much two models that judge the same units may differ in a rate, with a bound that holds for few units.

Shapes: N units, G groups.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glassline.analysis.bootstrap import group_totals
from glassline.analysis.significance import Flags, mcnemar_test


@dataclass(frozen=True)
class RateDifference:
    """The first model's rate less the second's, over the same units.

    Attributes:
        units: Number of units.
        first: Of these, those that the rate counts for the first model.
        second: The same for the second.
        difference: In [-1, 1]; 0 where there is no unit.
        low: Lower bound, by itself right in `confidence` of all cases; -1 where there is no unit.
        upper: Upper bound, likewise; 1 where there is no unit.
        confidence: Of each bound alone.
    """

    units: int
    first: int
    second: int
    difference: float
    low: float
    upper: float
    confidence: float


def rate_difference(first_N: Flags, second_N: Flags, groups_N: npt.ArrayLike, confidence: float) -> RateDifference:
    """Return the difference of two rates with one-sided bounds.

    Source: Tango 1998, the score interval of a difference of paired proportions: it keeps its confidence for tens of
    units, and has a width where no unit differs (the upper bound is then z² / (N + z²)). Units of a group go wrong
    together, so counts are divided by the design effect of the differences (Kish 1965; Rao and Scott 1992): the sum of
    squares over groups to that over units, never under 1. Where no two units of a group differ it says nothing.

    Args:
        first_N: What the rate counts, for the first model.
        second_N: The same for the second, in the same order.
        groups_N: Group of each unit.
        confidence: Of each bound, in (0.5, 1).
    """
    first_N, second_N = np.asarray(first_N, bool), np.asarray(second_N, bool)
    units = len(first_N)
    if not units:
        return RateDifference(0, 0, 0, 0.0, -1.0, 1.0, confidence)
    only_first, only_second = int((first_N & ~second_N).sum()), int((~first_N & second_N).sum())
    gain_N, gain_G = _gains(first_N, second_N, groups_N)
    effect = max(1.0, float((gain_G**2).sum()) / len(gain_N)) if len(gain_N) else 1.0
    counts = only_first / effect, only_second / effect, units / effect
    swapped = counts[1], counts[0], counts[2]
    return RateDifference(
        units, int(first_N.sum()), int(second_N.sum()), (only_first - only_second) / units,
        -_score_bound(*swapped, confidence), _score_bound(*counts, confidence), confidence,
    )  # fmt: skip


def paired_p(right_N: Flags, other_right_N: Flags, groups_N: npt.ArrayLike) -> float:
    """Return the two-sided p of McNemar's test, the larger one where groups hold several units.

    Source: McNemar 1947 (`mcnemar_test`, exact for few units). Where units of a group go right or wrong together they
    count for less than they are: then also Obuchowski 1998 over the groups in which the two differ, read off
    Student's t since these may be few.

    Args:
        right_N: Whether the model is right on each unit.
        other_right_N: Whether the other is, in the same order.
        groups_N: Group of each unit.

    Raises:
        DataError: There is no unit, or lengths differ.
    """
    from scipy.stats import t

    p = mcnemar_test(right_N, other_right_N).p
    gain_N, gain_G = _gains(right_N, other_right_N, groups_N)
    if len(gain_G) == len(gain_N):
        return p
    if len(gain_G) < 2:
        return 1.0
    statistic = abs(gain_G.sum()) / np.sqrt((gain_G**2).sum())
    return max(p, float(2 * t.sf(statistic, len(gain_G) - 1)))


def _gains(
    first_N: Flags, second_N: Flags, groups_N: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return 1 or -1 for each unit that only the first or only the second has, and their sums over groups."""
    gain_N = np.asarray(first_N, float) - np.asarray(second_N, float)
    differ_N = gain_N != 0
    gain_N = gain_N[differ_N]
    return gain_N, group_totals(np.asarray(groups_N)[differ_N], gain_N[:, None])[:, 0]


def _score_bound(only_first: float, only_second: float, units: float, confidence: float) -> float:
    """Return the largest difference d that a score test at this confidence does not refuse (Tango 1998, eq. 7)."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    z, observed = float(norm.ppf(confidence)), (only_first - only_second) / units

    def score(d: float) -> float:
        # q: the likeliest share of units that only the second model has, where the difference is d.
        a, b = 2 * units, -only_first - only_second + (2 * units - only_first + only_second) * d
        q = (np.sqrt(max(b * b + 4 * a * only_second * d * (1 - d), 0.0)) - b) / (2 * a)
        return float(only_first - only_second - units * d + z * np.sqrt(max(units * (2 * q + d * (1 - d)), 0.0)))

    least = min(observed + 1e-9, 1.0)  # at the observed difference itself a variance of 0 would be a root too
    return float(brentq(score, least, 1.0)) if score(least) > 0 > score(1.0) else 1.0

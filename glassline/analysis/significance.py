"""Is one classifier really better than another on the same samples.

Shapes: N samples, C classes, G groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.bootstrap import bootstrap_interval, group_totals
from glassline.analysis.metrics import Counts, check_confusion
from glassline.errors import DataError

Flags = npt.NDArray[np.bool_]

# Below this many disagreements the normal approximation of McNemar's test is too coarse.
_EXACT_BELOW = 25


@dataclass(frozen=True)
class ClassChiSquare:
    """Goodness of fit of one actual class.

    Attributes:
        actual: The actual class.
        samples: Its number of samples.
        statistic: Sum over cells of (observed − expected)² / expected.
        dof: Number of cells less 1; 0 where only one cell is expected.
        p: Probability of such a statistic or a larger one when nothing differs; 1 where dof is 0.
        merged: Which cells of expected count 0 went into which, "" where none did.
    """

    actual: str
    samples: int
    statistic: float
    dof: int
    p: float
    merged: str


@dataclass(frozen=True)
class ChiSquare:
    """Goodness of fit, summed over actual classes.

    Attributes:
        classes: One entry per actual class.
        statistic: Sum of the classes' statistics.
        dof: Sum of their degrees of freedom.
        p: Probability of such a sum or a larger one when nothing differs; 1 where dof is 0.
    """

    classes: tuple[ClassChiSquare, ...]
    statistic: float
    dof: int
    p: float


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two classifiers on the same samples.

    Attributes:
        n01: Samples that only the baseline has right.
        n10: Samples that only the model has right.
        statistic: The smaller of both where exact, else chi-square with continuity correction.
        p: Two-sided.
        exact: Whether the binomial distribution was used: fewer than 25 samples differ.
    """

    n01: int
    n10: int
    statistic: float
    p: float
    exact: bool


@dataclass(frozen=True)
class AccuracyDifference:
    """Model's accuracy less the baseline's, with its interval.

    Attributes:
        difference: In [-1, 1], positive where the model is better.
        low: Lower end of the interval.
        high: Upper end of the interval.
        level: Share of such intervals that cover the truth.
    """

    difference: float
    low: float
    high: float
    level: float


def chi_square(confusion_CC: Counts, baseline_CC: Counts, classes: Sequence[str]) -> ChiSquare:
    """Test a model's predictions against a baseline's as the expected counts, per actual class.

    Source: the comparison with the vanilla CNN in Table 4 of system A, whose cells are not
    printed; our reading: each row of the model's matrix against the same row of the baseline's. Cells
    expected 0 are merged into the smallest other cell of the row.

    Args:
        confusion_CC: The model's confusion matrix, rows actual.
        baseline_CC: The baseline's, over the same samples.
        classes: Class names in the order of both.

    Raises:
        DataError: A matrix is none of these classes, or a class has another number of samples in each.
    """
    from scipy.stats import chi2

    for matrix_CC in (confusion_CC, baseline_CC):
        check_confusion(np.asarray(matrix_CC), classes)
    found = tuple(
        _fit_row(np.asarray(row_C), np.asarray(expected_C), label, classes)
        for row_C, expected_C, label in zip(confusion_CC, baseline_CC, classes, strict=True)
    )
    statistic, dof = sum(entry.statistic for entry in found), sum(entry.dof for entry in found)
    return ChiSquare(found, statistic, dof, float(chi2.sf(statistic, dof)) if dof else 1.0)


def mcnemar_test(right_N: Flags, baseline_right_N: Flags) -> McNemar:
    """Test whether two classifiers are right equally often on the same samples.

    Source: McNemar 1947; exact (binomial) where fewer than 25 samples differ.

    Args:
        right_N: Whether the model is right on each sample.
        baseline_right_N: Whether the baseline is, in the same order.

    Raises:
        DataError: There is no sample, or lengths differ.
    """
    from statsmodels.stats.contingency_tables import mcnemar

    right_N, baseline_right_N = _paired(right_N, baseline_right_N)
    n01, n10 = int((~right_N & baseline_right_N).sum()), int((right_N & ~baseline_right_N).sum())
    both, neither = int((right_N & baseline_right_N).sum()), int((~right_N & ~baseline_right_N).sum())
    exact = n01 + n10 < _EXACT_BELOW
    result = mcnemar([[both, n10], [n01, neither]], exact=exact, correction=True)
    return McNemar(n01, n10, float(result.statistic), float(result.pvalue), exact)


def mcnemar_matrix(right: pd.DataFrame) -> pd.DataFrame:
    """Test every pair of methods on the same samples.

    Source: McNemar's test of each pair, corrected for their number after Holm 1979: a p under a level keeps the chance
    of any false finding in the whole table under that level.

    Args:
        right: Whether each method (columns) is right on each sample (rows).

    Returns:
        p of each pair, methods x methods, symmetric; NaN on the diagonal.

    Raises:
        DataError: There is no sample.
    """
    from itertools import combinations

    from statsmodels.stats.multitest import multipletests

    names = list(right.columns)
    pairs = list(combinations(names, 2))
    found = pd.DataFrame(np.nan, index=names, columns=names)
    if pairs:
        raw = [mcnemar_test(right[one].to_numpy(), right[other].to_numpy()).p for one, other in pairs]
        for (one, other), p in zip(pairs, multipletests(raw, method="holm")[1], strict=True):
            found.loc[one, other] = found.loc[other, one] = float(p)
    return found


def accuracy_difference(
    right_N: Flags, baseline_right_N: Flags, groups_N: npt.NDArray[np.object_], seed: int,
    resamples: int = 2000, level: float = 0.95,
) -> AccuracyDifference:  # fmt: skip
    """Return the difference of two accuracies with its interval.

    Source: percentile bootstrap over whole groups; see `bootstrap_interval`.

    Args:
        right_N: Whether the model is right on each sample.
        baseline_right_N: Whether the baseline is, in the same order.
        groups_N: Group of each sample.
        seed: Seed of the bootstrap, >= 0.
        resamples: Number of bootstrap draws.
        level: Share of such intervals that cover the truth, in (0, 1).

    Raises:
        DataError: There is no sample, lengths differ, or there are fewer than two groups.
    """
    right_N, baseline_right_N = _paired(right_N, baseline_right_N)
    groups = len(np.unique(np.asarray(groups_N).astype(str)))
    if len(groups_N) != len(right_N) or groups < 2:
        raise DataError(
            f"every sample must have a group and groups must be at least 2, got {len(groups_N)} for {len(right_N)} "
            f"samples and {groups} groups; test on more groups"
        )
    gain_N = right_N.astype(float) - baseline_right_N
    total_GK = group_totals(groups_N, np.stack([gain_N, np.ones_like(gain_N)], axis=1))
    low, high = bootstrap_interval(total_GK, lambda total: total[..., 0] / total[..., 1], seed, resamples, level)
    return AccuracyDifference(float(gain_N.mean()), low, high, level)


def _fit_row(row_C: Counts, expected_C: Counts, label: str, classes: Sequence[str]) -> ClassChiSquare:
    from scipy.stats import chi2

    samples = int(row_C.sum())
    if samples != int(expected_C.sum()):
        raise DataError(
            f"both models must judge the same samples, got {samples} and {int(expected_C.sum())} of class {label!r}; "
            "evaluate both on the same test samples"
        )
    zero_C = expected_C == 0
    if zero_C.all():
        return ClassChiSquare(label, 0, 0.0, 0, 1.0, "")
    smallest = int(np.where(zero_C, np.iinfo(np.int64).max, expected_C).argmin())
    observed_C = row_C.astype(float)
    observed_C[smallest] += observed_C[zero_C].sum()
    cells = ~zero_C
    statistic = float(((observed_C - expected_C)[cells] ** 2 / expected_C[cells]).sum())
    dof = int(cells.sum()) - 1
    merged = ", ".join(name for name, zero in zip(classes, zero_C, strict=True) if zero)
    return ClassChiSquare(
        label, samples, statistic, dof, float(chi2.sf(statistic, dof)) if dof else 1.0,
        f"{merged} into {classes[smallest]}" if merged else "",
    )  # fmt: skip


def _paired(right_N: Flags, baseline_right_N: Flags) -> tuple[Flags, Flags]:
    right_N, baseline_right_N = np.asarray(right_N, bool), np.asarray(baseline_right_N, bool)
    if right_N.shape != baseline_right_N.shape or right_N.ndim != 1 or not right_N.size:
        raise DataError(
            f"both models must judge the same samples, at least one, got {right_N.shape} and {baseline_right_N.shape}; "
            "evaluate both on the same test samples"
        )
    return right_N, baseline_right_N

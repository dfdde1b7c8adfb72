"""Which threshold to judge by, and how often it errs: defective glasses missed, clean ones rejected.

A glass (or a zone) is rejected when its highest scratch peak reaches the threshold. A peak of 0 means that nothing
was found: such a glass passes at every threshold.

Shapes: N glasses or zones.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.errors import DataError

Peaks = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ErrorRates:
    """What a threshold does; rates of no glass at all are NaN, with the interval 0 to 1.

    Attributes:
        threshold: Peak from which a glass is rejected.
        fn: Defective glasses that pass.
        defective: Defective glasses.
        fn_rate: Their share.
        fn_low: Lower end of its 95 % Wilson interval.
        fn_high: Upper end of it.
        fp: Clean glasses that are rejected.
        clean: Clean glasses.
        fp_rate: Their share.
        fp_low: Lower end of its 95 % Wilson interval.
        fp_high: Upper end of it.
    """

    threshold: float
    fn: int
    defective: int
    fn_rate: float
    fn_low: float
    fn_high: float
    fp: int
    clean: int
    fp_rate: float
    fp_low: float
    fp_high: float


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and why.

    Attributes:
        high: Peak from which a glass is rejected.
        max_fn_rate: Share of defective glasses that may pass.
        rates: What the threshold does on the glasses that it was chosen on.
        warning: What the choice cannot keep, "" where there is nothing to say.
    """

    high: float
    max_fn_rate: float
    rates: ErrorRates
    warning: str = ""


def error_rates(peak_N: Peaks, defective_N: Flags, threshold: float) -> ErrorRates:
    """Count the errors of a threshold.

    Args:
        peak_N: Highest scratch peak of each glass, 0 to 1, 0 where nothing was found.
        defective_N: Whether it has a scratch.
        threshold: Peak from which a glass is rejected.

    Raises:
        DataError: There is no glass, lengths differ, or a peak leaves 0 to 1.
    """
    peak_N, defective_N = _checked(peak_N, defective_N)
    rejected_N = (peak_N >= threshold) & (peak_N > 0)
    fn, defective = int((defective_N & ~rejected_N).sum()), int(defective_N.sum())
    fp, clean = int((~defective_N & rejected_N).sum()), int((~defective_N).sum())
    return ErrorRates(float(threshold), fn, defective, *share_of(fn, defective), fp, clean, *share_of(fp, clean))


def choose_threshold(peak_N: Peaks, defective_N: Flags, max_fn_rate: float) -> OperatingPoint:
    """Choose the highest threshold that misses no more defective glasses than stated.

    To be called with validation glasses alone. Where glasses with nothing found are more than may be missed, no
    threshold keeps the rate: the choice is the highest that misses no others, and says so.

    Args:
        peak_N: Highest scratch peak of each glass, 0 to 1, 0 where nothing was found.
        defective_N: Whether it has a scratch.
        max_fn_rate: Share of defective glasses that may pass, 0 to 1.

    Raises:
        DataError: There is no defective glass, lengths differ, a peak leaves 0 to 1, or the rate does.
    """
    peak_N, defective_N = _checked(peak_N, defective_N)
    if not defective_N.any() or not 0 <= max_fn_rate < 1:
        raise DataError(
            f"a threshold needs at least one defective glass and a max_fn_rate from 0 to under 1, got "
            f"{int(defective_N.sum())} of {len(peak_N)} and {max_fn_rate:g}; validate on glasses with scratches"
        )
    rising_N = np.sort(peak_N[defective_N])
    count, blank = len(rising_N), int((rising_N == 0).sum())
    may_miss = math.floor(max_fn_rate * count + 1e-9)
    # Where even the brightest has no peak there is nothing to put a threshold at: 1 rejects what is certain.
    high = float(rising_N[max(may_miss, blank)]) if blank < count else 1.0
    warning = ""
    if blank > may_miss:
        warning = (
            f"no threshold misses only {max_fn_rate:.1%}: nothing was found on {blank} of {count} defective glasses; "
            "lower `low`, or train longer"
        )
    elif 0 < max_fn_rate * count < 1 - 1e-9:
        warning = (
            f"{count} defective glasses cannot tell a rate of {max_fn_rate:.1%}: none may be missed; it takes "
            f"{math.ceil(1 / max_fn_rate - 1e-9)} at least"
        )
    return OperatingPoint(high, max_fn_rate, error_rates(peak_N, defective_N, high), warning)


def trade_off(peak_N: Peaks, defective_N: Flags) -> pd.DataFrame:
    """Return what every threshold does: `threshold`, rising, `fn_rate`, `fp_rate`.

    The first threshold rejects whatever has a peak, the last rejects nothing; a rate of no glass is NaN.

    Raises:
        DataError: There is no glass, lengths differ, or a peak leaves 0 to 1.
    """
    peak_N, defective_N = _checked(peak_N, defective_N)
    thresholds = _thresholds(peak_N)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "fn_rate": _below(peak_N[defective_N], thresholds),
            "fp_rate": 1 - _below(peak_N[~defective_N], thresholds),
        }
    )


def rates_at_fp(peak_N: Peaks, defective_N: Flags, fp_rate: float) -> ErrorRates:
    """Return the errors of the lowest threshold that rejects no more clean glasses than stated.

    Methods compare at equal false alarms, whatever their scores mean.

    Args:
        peak_N: Highest scratch peak of each glass, 0 to 1, 0 where nothing was found.
        defective_N: Whether it has a scratch.
        fp_rate: Share of clean glasses that may be rejected, 0 to 1.

    Raises:
        DataError: There is no clean glass, lengths differ, or a peak leaves 0 to 1.
    """
    peak_N, defective_N = _checked(peak_N, defective_N)
    if defective_N.all() or not 0 <= fp_rate <= 1:
        raise DataError(
            f"equal false alarms need at least one clean glass and an fp_rate from 0 to 1, got "
            f"{int((~defective_N).sum())} of {len(peak_N)} and {fp_rate:g}; compare on glasses without scratches too"
        )
    thresholds = _thresholds(peak_N)
    few = 1 - _below(peak_N[~defective_N], thresholds) <= fp_rate + 1e-9
    return error_rates(peak_N, defective_N, float(thresholds[few.argmax()]))


def _thresholds(peak_N: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return every peak that is one, rising, and one threshold that none reaches."""
    rising = np.unique(peak_N[peak_N > 0])
    return np.append(rising, np.nextafter(rising[-1] if len(rising) else 1.0, 2.0))


def _below(peak_N: npt.NDArray[np.float64], thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the share of peaks below each threshold, NaN of none."""
    if not len(peak_N):
        return np.full(len(thresholds), np.nan)
    return np.searchsorted(np.sort(peak_N), thresholds, side="left") / len(peak_N)


def share_of(count: int, of: int) -> tuple[float, float, float]:
    """Return a share with its 95 % Wilson interval; NaN, 0 and 1 of none."""
    from statsmodels.stats.proportion import proportion_confint

    if not of:
        return math.nan, 0.0, 1.0
    low, high = proportion_confint(count, of, method="wilson")
    return count / of, float(low), float(high)


def _checked(peak_N: Peaks, defective_N: Flags) -> tuple[npt.NDArray[np.float64], Flags]:
    peaks_N, flags_N = np.array(peak_N, np.float64), np.asarray(defective_N, np.bool_)
    if peaks_N.ndim != 1 or peaks_N.shape != flags_N.shape or not peaks_N.size:
        raise DataError(
            f"every glass must have one peak and one verdict, got {peaks_N.shape} and {flags_N.shape}; "
            "judge at least one glass"
        )
    if not ((peaks_N >= 0) & (peaks_N <= 1)).all():
        raise DataError(
            f"peaks must lie in 0 to 1, got {peaks_N.min():g} to {peaks_N.max():g}; take them from find_scratches"
        )
    return peaks_N, flags_N

"""Errors at a threshold, and the choice of one."""

import math

import numpy as np
import pytest

from glassline.analysis.operating_point import choose_threshold, error_rates, rates_at_fp, trade_off
from glassline.errors import DataError


def _glasses(seed: int = 0, count: int = 60):
    rng = np.random.default_rng(seed)
    defective_N = rng.random(count) < 0.4
    peak_N = np.clip(rng.normal(np.where(defective_N, 0.8, 0.3), 0.25), 0, 1).round(2)
    return peak_N, defective_N


def _loop(peaks, defective, threshold):
    fn = fp = 0
    for peak, is_defective in zip(peaks.tolist(), defective.tolist(), strict=True):
        rejected = peak > 0 and peak >= threshold
        fn += is_defective and not rejected
        fp += rejected and not is_defective
    return fn, fp


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.55, 1.0])
def test_errors_match_a_plain_loop(threshold):
    peak_N, defective_N = _glasses()
    rates = error_rates(peak_N, defective_N, threshold)
    assert (rates.fn, rates.fp) == _loop(peak_N, defective_N, threshold)
    assert (rates.defective, rates.clean) == (defective_N.sum(), (~defective_N).sum())
    assert (rates.fn_rate, rates.fp_rate) == (rates.fn / rates.defective, rates.fp / rates.clean)


def test_interval_is_wilsons():
    rates = error_rates(np.array([0.2] + [0.9] * 9), np.ones(10, bool), 0.5)
    z, n, p = 1.959963984540054, 10, 0.1
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert rates.fn_low == pytest.approx((centre - half) / (1 + z * z / n))
    assert rates.fn_high == pytest.approx((centre + half) / (1 + z * z / n))


def test_rate_of_no_glass_is_unknown():
    none_defective = error_rates(np.array([0.2, 0.9]), np.zeros(2, bool), 0.5)
    assert math.isnan(none_defective.fn_rate)
    assert (none_defective.fn_low, none_defective.fn_high, none_defective.fp_rate) == (0, 1, 0.5)
    none_clean = error_rates(np.array([0.2, 0.9]), np.ones(2, bool), 0.5)
    assert math.isnan(none_clean.fp_rate)
    assert (none_clean.fp_low, none_clean.fp_high, none_clean.fn_rate) == (0, 1, 0.5)


@pytest.mark.parametrize("max_fn_rate", [0.0, 0.05, 0.1, 0.5, 0.99])
def test_chosen_threshold_is_the_highest_that_keeps_the_rate(max_fn_rate):
    peak_N, defective_N = _glasses()
    chosen = choose_threshold(peak_N, defective_N, max_fn_rate)
    assert chosen.rates == error_rates(peak_N, defective_N, chosen.high)
    assert chosen.rates.fn_rate <= max_fn_rate
    for higher in [*peak_N[peak_N > chosen.high], 1.1]:
        assert _loop(peak_N, defective_N, higher)[0] / defective_N.sum() > max_fn_rate


def test_rate_that_is_a_whole_number_of_glasses_is_used_up():
    chosen = choose_threshold(np.linspace(0.01, 1, 100), np.ones(100, bool), 0.07)
    assert (chosen.rates.fn, chosen.high) == (7, pytest.approx(0.08))


def test_equal_peaks_are_all_found():
    chosen = choose_threshold(np.full(6, 0.7), np.array([1, 1, 1, 1, 0, 0], bool), 0.25)
    assert (chosen.high, chosen.rates.fn, chosen.rates.fp, chosen.warning) == (0.7, 0, 2, "")


def test_peaks_of_nothing_are_missed_at_every_threshold():
    peak_N, defective_N = np.zeros(4), np.array([1, 1, 0, 0], bool)
    chosen = choose_threshold(peak_N, defective_N, 0.1)
    assert (chosen.high, chosen.rates.fn, chosen.rates.fp) == (1, 2, 0)
    assert "nothing was found on 2 of 2 defective glasses" in chosen.warning
    assert error_rates(peak_N, defective_N, 0).fn == 2


def test_rate_that_no_threshold_keeps_is_told_and_no_other_glass_is_missed():
    chosen = choose_threshold(np.array([0, 0, 0.4, 0.6, 0.2]), np.array([1, 1, 1, 1, 0], bool), 0.25)
    assert (chosen.high, chosen.rates.fn) == (0.4, 2)
    assert "no threshold misses only 25.0%" in chosen.warning


@pytest.mark.parametrize(("count", "told"), [(41, True), (42, False)])
def test_too_few_defective_glasses_for_the_rate_are_told(count, told):
    chosen = choose_threshold(np.full(count, 0.9), np.ones(count, bool), 1 / 42)
    assert ("it takes 42 at least" in chosen.warning) == told


def test_trade_off_matches_a_plain_loop_and_ends_where_nothing_is_rejected():
    peak_N, defective_N = _glasses()
    curve = trade_off(peak_N, defective_N)
    assert (np.diff(curve["threshold"]) > 0).all()
    for threshold, fn_rate, fp_rate in curve.itertuples(index=False):
        fn, fp = _loop(peak_N, defective_N, threshold)
        assert (fn_rate, fp_rate) == pytest.approx((fn / defective_N.sum(), fp / (~defective_N).sum()))
    assert tuple(curve.iloc[-1][["fn_rate", "fp_rate"]]) == (1, 0)


def test_trade_off_of_no_peak_and_no_clean_glass_is_one_row():
    curve = trade_off(np.zeros(3), np.ones(3, bool))
    assert len(curve) == 1
    assert curve["fn_rate"].item() == 1
    assert curve["fp_rate"].isna().all()


@pytest.mark.parametrize("fp_rate", [0.0, 0.1, 0.3, 1.0])
def test_rates_at_fp_miss_as_few_as_that_allows(fp_rate):
    peak_N, defective_N = _glasses()
    found = rates_at_fp(peak_N, defective_N, fp_rate)
    allowed = [
        _loop(peak_N, defective_N, threshold)[0]
        for threshold in [*peak_N[peak_N > 0], 1.1]
        if _loop(peak_N, defective_N, threshold)[1] / (~defective_N).sum() <= fp_rate
    ]
    assert found.fp_rate <= fp_rate
    assert found.fn == min(allowed)


def test_bad_peaks_are_refused():
    for peaks, defective in [([], []), ([0.5], [True, False]), ([1.5], [True]), ([math.nan], [True])]:
        with pytest.raises(DataError, match="peak"):
            error_rates(np.array(peaks), np.array(defective, bool), 0.5)
    with pytest.raises(DataError, match=r"at least one defective glass.*got 0 of 2"):
        choose_threshold(np.zeros(2), np.zeros(2, bool), 0.1)
    with pytest.raises(DataError, match=r"at least one clean glass.*got 0 of 2"):
        rates_at_fp(np.zeros(2), np.ones(2, bool), 0.1)

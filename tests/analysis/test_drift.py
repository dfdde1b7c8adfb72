"""Drift of attributes and features between two cycles, against plain sums and under no drift."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from glassline.analysis.drift import attribute_drift, energy_drift, regroupings

NEW = np.arange(80) >= 40
GROUPS = [f"{'new' if new else 'last'} {number // 2}" for number, new in enumerate(NEW)]


@pytest.fixture
def sides():
    return regroupings(GROUPS, NEW, 199, seed=0)


def test_regroupings_keep_groups_whole_and_their_number(sides):
    assert (sides[0] == NEW).all()
    assert (sides[:, 0::2] == sides[:, 1::2]).all()
    assert set(sides.sum(axis=1)) == {40}


def test_attribute_drift_statistic_is_the_one_of_scipy_with_ties(sides):
    value = np.random.default_rng(0).integers(0, 6, 80).astype(float)
    row = attribute_drift(pd.DataFrame({"a": value}), NEW, sides, 0.05).iloc[0]
    assert row["ks"] == pytest.approx(ks_2samp(value[~NEW], value[NEW]).statistic)


def test_attribute_drift_finds_a_shift_in_its_own_units(sides):
    value = np.random.default_rng(0).normal(0, 2, (80, 3))
    value[NEW, 1] += 6
    table = attribute_drift(pd.DataFrame(value, columns=["a", "b", "c"]), NEW, sides, 0.05)
    assert table["attribute"].iloc[0] == "b"
    assert table["drifted"].to_list() == [True, False, False]
    assert table["shift"].iloc[0] == pytest.approx(3, abs=1)
    assert table["psi"].iloc[0] > 1


def test_attribute_drift_holds_its_level_where_groups_differ_but_cycles_do_not():
    # Marks of a glass share its level: tests for independent samples would call half of these a drift.
    rng, called = np.random.default_rng(1), 0
    new_N = np.arange(200) >= 100
    groups = [f"g{number // 10}" for number in range(200)]
    for trial in range(40):
        value = np.repeat(rng.normal(size=20), 10) + rng.normal(0, 0.2, 200)
        sides = regroupings(groups, new_N, 99, seed=trial)
        called += bool(attribute_drift(pd.DataFrame({"a": value}), new_N, sides, 0.05)["drifted"].iloc[0])
    assert called <= 5


def test_attribute_drift_leaves_out_what_too_few_know(sides):
    value = np.full(80, np.nan)
    value[:50] = 1.0
    assert attribute_drift(pd.DataFrame({"x_mm": value, "y_mm": np.nan}), NEW, sides, 0.05)["attribute"].to_list() == [
        "x_mm"
    ]


def test_attribute_drift_of_a_constant_is_none(sides):
    row = attribute_drift(pd.DataFrame({"a": np.ones(80)}), NEW, sides, 0.05).iloc[0]
    assert (row["ks"], row["p"], row["shift"], row["psi"]) == (0, 1, 0, 0)


def test_energy_drift_is_the_sum_over_pairs(sides):
    features = np.random.default_rng(0).normal(size=(80, 3))
    old, new = features[~NEW], features[NEW]
    mean = [
        np.mean([np.linalg.norm(a - b) for a in one for b in other])
        for one, other in ((old, new), (old, old), (new, new))
    ]
    expected = (2 * mean[0] - mean[1] - mean[2]) / (2 * mean[0])
    assert energy_drift(features, NEW, sides).effect == pytest.approx(expected)


def test_energy_drift_tells_apart_what_is_apart_and_not_what_is_not(sides):
    features = np.random.default_rng(0).normal(size=(80, 3))
    assert energy_drift(features, NEW, sides).p > 0.05
    assert energy_drift(features + 3 * NEW[:, None], NEW, sides).p == pytest.approx(1 / 200)


def test_energy_drift_of_equal_points_is_none(sides):
    found = energy_drift(np.ones((80, 2)), NEW, sides)
    assert (found.effect, found.p) == (0, 1)

"""Intervals of metrics: what they cover, and what they know of groups."""

import numpy as np
import pytest

from glassline.analysis.metrics import classifier_metrics, grouped_metrics, metrics_of
from glassline.errors import DataError


def predictions(count=400, right=0.8, groups=400, seed=0):
    """Return predictions of three classes; a group goes right or wrong as a whole."""
    rng = np.random.default_rng(seed)
    group_N = np.arange(count) % groups
    actual_N = rng.choice(list("abc"), count)
    right_N = (rng.random(groups) < right)[group_N]
    other_N = np.array([{"a": "b", "b": "c", "c": "a"}[one] for one in actual_N])
    return actual_N.tolist(), np.where(right_N, actual_N, other_N).tolist(), [f"g{one}" for one in group_N]


def test_macro_f1_interval_matches_a_bootstrap_by_plain_loops():
    actual, predicted, groups = predictions(count=120, groups=30)
    found = grouped_metrics(actual, predicted, groups, "abc")
    rng, draws = np.random.default_rng(1), []
    members = {group: [row for row, one in enumerate(groups) if one == group] for group in set(groups)}
    names = sorted(members)
    for _ in range(400):
        rows = [row for name in rng.choice(names, len(names)) for row in members[name]]
        draws.append(classifier_metrics([actual[r] for r in rows], [predicted[r] for r in rows], "abc").macro_f1)
    low, high = np.percentile(draws, [2.5, 97.5])
    assert found.macro_f1_low == pytest.approx(low, abs=0.03)
    assert found.macro_f1_high == pytest.approx(high, abs=0.03)
    assert found.macro_f1_low < found.macro_f1 < found.macro_f1_high


def test_intervals_widen_when_groups_go_wrong_together():
    actual, predicted, groups = predictions(count=600, groups=30)
    together = grouped_metrics(actual, predicted, groups, "abc")
    apart = grouped_metrics(actual, predicted, [str(row) for row in range(600)], "abc")
    assert together.macro_f1_high - together.macro_f1_low > 2 * (apart.macro_f1_high - apart.macro_f1_low)
    assert together.accuracy_high - together.accuracy_low > 2 * (apart.accuracy_high - apart.accuracy_low)


def test_accuracy_of_single_samples_keeps_wilsons_interval():
    actual, predicted, groups = predictions()
    found, plain = grouped_metrics(actual, predicted, groups, "abc"), classifier_metrics(actual, predicted, "abc")
    assert (found.accuracy_low, found.accuracy_high) == (plain.accuracy_low, plain.accuracy_high)


def test_accuracy_of_groups_that_are_all_right_is_no_narrower_than_wilsons():
    actual, predicted, groups = predictions(count=40, right=1.1, groups=4)
    found, plain = grouped_metrics(actual, predicted, groups, "abc"), classifier_metrics(actual, predicted, "abc")
    assert (found.accuracy_low, found.accuracy_high) == (plain.accuracy_low, plain.accuracy_high)
    assert (found.macro_f1_low, found.macro_f1_high) == (1, 1)


def test_a_class_missing_from_a_draw_is_not_held_against_it():
    # b lies in one group of forty: every third draw holds none of it, and all are right.
    actual = ["a"] * 78 + ["b"] * 2
    groups = [str(row // 2) for row in range(80)]
    found = grouped_metrics(actual, actual, groups, "ab")
    assert (found.macro_f1, found.macro_f1_low) == (1, 1)


def test_a_class_that_never_occurs_counts_in_the_interval_as_in_the_figure():
    actual = ["a", "b"] * 20
    found = grouped_metrics(actual, actual, [str(row) for row in range(40)], "abc")
    assert found.macro_f1 == found.macro_f1_low == found.macro_f1_high == pytest.approx(2 / 3)


def test_intervals_are_the_same_each_time_and_named_in_the_flat_figures():
    first, again = (grouped_metrics(*predictions(), "abc").as_dict() for _ in range(2))
    assert first == again
    assert {"macro_f1_low", "macro_f1_high", "recall_low_a", "recall_high_c"} <= set(first)


def test_one_group_has_no_interval_of_macro_f1():
    found = grouped_metrics(["a", "b"], ["a", "a"], ["g", "g"], "ab")
    assert found.macro_f1_low is None
    assert "macro_f1_low" not in found.as_dict()


def test_recall_interval_is_wilsons_and_says_nothing_of_a_class_that_never_occurs():
    found = metrics_of(np.array([[8, 2, 0], [0, 10, 0], [0, 0, 0]]), "abc")
    z, n, p = 1.959963984540054, 10, 0.8
    centre, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    assert found.recall_low["a"] == pytest.approx((centre - half) / (1 + z * z / n))
    assert found.recall_high["a"] == pytest.approx((centre + half) / (1 + z * z / n))
    assert (found.recall_low["b"] > 0.6, found.recall_high["b"]) == (True, pytest.approx(1))
    assert (found.recall_low["c"], found.recall_high["c"]) == (0, 1)


def test_every_sample_needs_a_group():
    with pytest.raises(DataError, match="must have a group, got 1 for 2 samples"):
        grouped_metrics(["a", "b"], ["a", "b"], ["g"], "ab")

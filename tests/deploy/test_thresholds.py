"""Thresholds of a classifier's sidecar."""

import numpy as np
import pytest

from glassline.analysis.unknown import UNKNOWN
from glassline.deploy.bundle import Bundle
from glassline.deploy.thresholds import (
    WindowThresholds,
    bundle_thresholds,
    class_thresholds,
    decide,
    unknown_distance,
)
from glassline.errors import SettingsError

CLASSES = ("dent", "fold", "control")


@pytest.mark.parametrize(
    ("probability_C", "least", "expected"),
    [
        ((0.2, 0.1, 0.7), {}, "control"),
        ((0.2, 0.1, 0.7), {"control": 0.8}, "dent"),
        ((0.6, 0.1, 0.3), {"dent": 0.7}, "control"),
        ((0.4, 0.4, 0.2), {}, "dent"),
        ((0.4, 0.3, 0.3), dict.fromkeys(CLASSES, 0.5), UNKNOWN),
        ((0.5, 0.3, 0.2), dict.fromkeys(CLASSES, 0.5), "dent"),
    ],
)
def test_the_likeliest_class_that_has_what_it_needs_is_taken(probability_C, least, expected):
    assert decide(np.array(probability_C), CLASSES, {**dict.fromkeys(CLASSES, 0.0), **least}) == expected


def _bundle(manifest, system, thresholds):
    return Bundle(manifest.model_copy(update={"system": system}), thresholds, {})


LEAST = {"least_probability": {"dent": 0.4, "control": 0.0}}


def test_thresholds_of_each_classifier_are_told(manifest):
    assert class_thresholds(_bundle(manifest, "A", LEAST)).model_dump() == LEAST
    told = {**LEAST, "unknown_distance": None}
    assert class_thresholds(_bundle(manifest, "B", told)).model_dump() == told


@pytest.mark.parametrize("told", [{"dent": 0.4}, {}, {**LEAST["least_probability"], "mold": 0.5}])
def test_each_class_and_no_other_one_has_a_probability(manifest, told):
    with pytest.raises(
        SettingsError, match=r"must hold a probability of each class, of \['dent', 'control'\], got .*mend"
    ):
        class_thresholds(_bundle(manifest, "A", {"least_probability": told}))


@pytest.mark.parametrize(
    "told", [[0.5], 0.5, None, {"dent": 2}, {"dent": "much"}, {"dent": True}, {"dent": None}, {1: 0}]
)
def test_probabilities_that_are_none_are_refused(manifest, told):
    with pytest.raises(
        SettingsError, match=r"thresholds\.yaml must hold thresholds in range .*least_probability.*; mend"
    ):
        class_thresholds(_bundle(manifest, "A", {"least_probability": told}))


@pytest.mark.parametrize(("system", "told", "missing"), [
    ("A", {}, "least_probability"), ("B", LEAST, "unknown_distance"),
    ("B", {"unknown_distance": 1}, "least_probability"),
])  # fmt: skip
def test_a_threshold_that_is_missing_is_named(manifest, system, told, missing):
    with pytest.raises(SettingsError, match=rf"must state every threshold, missing: \['{missing}'\]"):
        class_thresholds(_bundle(manifest, system, told))


@pytest.mark.parametrize(
    ("system", "name"), [("A", "unknown_distance"), ("A", "least_probabilty"), ("B", "unknown"), ("B", 7)]
)
def test_a_threshold_that_is_unknown_is_named(manifest, system, name):
    told = {**LEAST, **({"unknown_distance": 0.5} if system == "B" else {}), name: 0.5}
    with pytest.raises(SettingsError, match=f"{name}: .*known settings: least_probability"):
        class_thresholds(_bundle(manifest, system, told))


@pytest.mark.parametrize("told", [0, -0.1, 1.5, float("nan"), "0.5", True])
def test_a_heat_that_is_none_is_refused(manifest, told):
    with pytest.raises(SettingsError, match=r"thresholds\.yaml must hold thresholds in range .*least_heat"):
        bundle_thresholds(_bundle(manifest, "D", {"least_probability": 0.5, "least_heat": told}), WindowThresholds)


def test_heat_may_be_turned_off_but_not_left_out(manifest):
    off = _bundle(manifest, "D", {"least_probability": 0.5, "least_heat": None})
    assert bundle_thresholds(off, WindowThresholds).least_heat is None
    with pytest.raises(SettingsError, match=r"missing: \['least_heat'\]"):
        bundle_thresholds(_bundle(manifest, "D", {"least_probability": 0.5}), WindowThresholds)


def test_a_bundle_of_no_metric_network_knows_no_distance(manifest):
    assert unknown_distance(_bundle(manifest, "A", {})) is None

"""Candidates by the amount of data: which methods, which starts, and what is named explicitly."""

import pytest

from glassline.analysis.candidate_methods import METHODS, choose_candidates, methods_for
from glassline.analysis.cycle_settings import CheckSettings
from glassline.errors import SettingsError
from glassline.models.settings import MODEL_NAMES

MANY = CheckSettings(most_candidates=9)


def _names(candidates):
    return [one["name"] for one in candidates]


def test_methods_are_known_ones():
    assert {model for models in METHODS.values() for model in models} <= set(MODEL_NAMES)


@pytest.mark.parametrize(("samples", "model"), [(0, "metadata"), (49, "metadata"), (50, "triplet"), (5000, "cnn")])
def test_methods_for_follow_the_amount(samples, model):
    assert model in methods_for(samples)


def test_candidates_start_from_scratch_where_there_is_nothing_else():
    assert _names(choose_candidates(60, "", False, False, MANY)) == [
        "ensemble_fusion-scratch", "triplet-scratch", "cnn-scratch",
    ]  # fmt: skip


def test_candidates_start_from_the_champion_of_the_same_method_alone():
    found = choose_candidates(60, "triplet", True, True, MANY)
    assert [one["name"] for one in found if one["start"] == "champion"] == ["triplet-champion"]
    assert {"name": "cnn-sources", "model": "cnn", "start": "sources"} in found


def test_candidates_include_the_champions_own_method():
    found = choose_candidates(60, "siamese", True, False, MANY)
    assert _names(found)[:3] == ["ensemble_fusion-scratch", "siamese-champion", "siamese-scratch"]


@pytest.mark.parametrize(
    ("most", "names"),
    [
        (4, ["ensemble_fusion-sources", "cnn-sources", "cnn-champion", "cnn-scratch"]),
        (2, ["ensemble_fusion-sources", "cnn-sources"]),
    ],
)
def test_candidates_of_the_champions_own_method_are_not_crowded_out(most, names):
    assert _names(choose_candidates(60, "cnn", True, True, CheckSettings(most_candidates=most))) == names


def test_candidates_include_the_method_of_a_champion_without_weights():
    found = choose_candidates(60, "siamese", False, False, CheckSettings(most_candidates=2))
    assert _names(found) == ["ensemble_fusion-scratch", "siamese-scratch"]


def test_candidates_are_at_most_as_many_as_asked_for():
    assert len(choose_candidates(60, "triplet", True, True, CheckSettings(most_candidates=2))) == 2


def test_candidates_named_in_the_settings_are_taken_as_they_are():
    named = {"candidates": [{"name": "mine", "model": "mlp"}]}
    assert choose_candidates(60, "", False, False, CheckSettings.parse(named)) == [
        {"name": "mine", "model": "mlp", "start": "scratch"}
    ]


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([{"name": "a", "model": "resnet"}], "model must be one of"),
        ([{"name": "a", "model": "cnn"}, {"name": "a", "model": "mlp"}], "a name each"),
        ([{"name": "a", "model": "cnn", "start": "champion"}], "champion of the same model"),
        ([{"name": "a", "model": "cnn", "start": "sources"}], "sources or an older cycle"),
    ],
)
def test_candidates_that_cannot_be_trained_are_refused(candidates, message):
    with pytest.raises(SettingsError, match=message):
        choose_candidates(60, "triplet", True, False, CheckSettings.parse({"candidates": candidates}))

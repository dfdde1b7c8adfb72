"""Why a sample is reviewed: each kind of doubt, its strength, and the order of the queue."""

import pandas as pd
import pytest

from glassline.analysis.review_reasons import (
    close_calls,
    contested_by_models,
    duels,
    looked_elsewhere,
    partly_covered,
    ranked,
    split_votes,
)


def _votes(*rows):
    frame = pd.DataFrame(rows, columns=["model", "unit", "actual", "predicted", "p_dent", "p_clean"])
    return frame


def test_close_calls_are_the_closer_the_stronger():
    judged = _votes(("cnn", "a", "", "", 0.5, 0.5), ("cnn", "b", "", "", 0.55, 0.45), ("cnn", "c", "", "", 0.9, 0.1))
    found = close_calls(judged, 0.2)
    assert list(found["unit"]) == ["a", "b"]
    assert list(found["doubt"]) == pytest.approx([1.0, 0.5])
    assert found["text"][1] == "close: dent 0.55 and clean 0.45"


def test_close_calls_of_one_class_are_none():
    assert close_calls(pd.DataFrame({"unit": ["a"], "p_dent": [1.0]}), 0.2).empty


def test_split_votes_name_who_says_what():
    votes = _votes(
        ("cnn", "a", "", "dent", 1, 0), ("mlp", "a", "", "clean", 0, 1), ("svm", "a", "", "dent", 1, 0),
        ("cnn", "b", "", "dent", 1, 0), ("mlp", "b", "", "dent", 1, 0),
    )  # fmt: skip
    (row,) = split_votes(votes).to_dict("records")
    assert (row["unit"], row["text"]) == ("a", "models disagree: mlp: clean; cnn, svm: dent")
    assert row["doubt"] == pytest.approx(2 / 3)


def test_a_label_is_contested_when_all_models_are_sure_of_another():
    votes = _votes(
        ("cnn", "a", "dent", "clean", 0.0, 1.0), ("mlp", "a", "dent", "clean", 0.1, 0.9),
        ("cnn", "b", "dent", "clean", 0.0, 1.0), ("mlp", "b", "dent", "dent", 0.9, 0.1),
        ("cnn", "c", "dent", "clean", 0.4, 0.6), ("cnn", "d", "clean", "clean", 0.0, 1.0),
    )  # fmt: skip
    (row,) = contested_by_models(votes, 0.9).to_dict("records")
    assert (row["unit"], row["doubt"]) == ("a", pytest.approx(0.95))


def test_duels_are_of_the_new_product_and_of_a_champion_that_answered():
    compared = pd.DataFrame(
        {
            "unit": ["a", "b", "c", "d"],
            "product": ["new", "new", "old", "new"],
            "candidate": ["dent", "dent", "dent", "dent"],
            "champion": ["clean", "dent", "clean", None],
        }
    )
    assert list(duels(compared)["unit"]) == ["a"]


def test_partly_covered_is_strongest_in_the_middle_and_unknown_overlap_is_no_doubt():
    patches = pd.DataFrame({"unit": list("abcd"), "overlap": [0.3, 0.12, 0.6, float("nan")]})
    found = partly_covered(patches, (0.1, 0.5)).set_index("unit")["doubt"]
    assert list(found.index) == ["a", "b"]
    assert found["a"] > found["b"]


def test_looked_elsewhere_is_told_of_the_unit_of_the_patch():
    elsewhere = pd.DataFrame({"id": ["p1", "gone"], "energy_share": [0.1, 0.2]})
    (row,) = looked_elsewhere(elsewhere, pd.Series({"p1": "image"})).to_dict("records")
    assert (row["unit"], row["doubt"], row["text"]) == ("image", 0.9, "10% of the activation lies at the defect")


def test_ranked_puts_two_reasons_before_one_and_counts_a_kind_once():
    hints = pd.DataFrame(
        [
            ("a", "threshold", 0.9, "x"), ("b", "threshold", 0.8, "x"), ("b", "contested", 0.8, "y"),
            ("a", "threshold", 0.9, "again"),
        ],
        columns=["unit", "reason", "doubt", "text"],
    )  # fmt: skip
    queue = ranked([hints], most=5)
    assert list(queue["unit"]) == ["b", "a"]
    assert list(queue["doubt"]) == pytest.approx([1 - 0.6 * 0.6, 0.45])
    assert queue["reasons"][0] == "contested, threshold"


def test_ranked_keeps_at_most_so_many_and_nothing_of_nothing():
    hints = pd.DataFrame([(name, "threshold", 0.5, "x") for name in "ba"], columns=["unit", "reason", "doubt", "text"])
    assert list(ranked([hints], most=1)["unit"]) == ["a"]
    assert ranked([], most=1).empty

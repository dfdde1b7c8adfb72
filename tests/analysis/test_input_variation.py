"""How alike classes are: groups never count as neighbours, and what cannot be measured is NaN."""

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.input_variation import INTER, INTRA, input_variation
from glassline.errors import DataError


def _measure(samples: list[tuple[str, str, float]], classes: tuple[str, ...] = ("dent", "mold", "pit")):
    """Measure samples on a line: label, group and place of p0, p1, …"""
    rows = pd.DataFrame(samples, columns=["label", "group", "place"])
    rows["id"] = [f"p{number}" for number in range(len(rows))]
    return input_variation(rows, rows[["place"]].to_numpy(), classes)


def test_distances_are_those_of_the_nearest_samples():
    found = _measure([("dent", "a", 0), ("dent", "b", 1), ("mold", "c", 3), ("mold", "d", 7)])
    assert found.nearest_CC.loc["dent"].to_list() == [1, 2.5]
    assert found.nearest_CC.loc["mold"].to_list() == [4, 4]
    assert found.samples["own_distance"].to_list() == [1, 1, 4, 4]
    assert found.samples["other_distance"].to_list() == [3, 2, 2, 6]
    dent, mold = found.classes.to_dict("records")
    assert (dent["label"], dent["samples"], dent["groups"], dent["nearest_class"]) == ("dent", 2, 2, "mold")
    assert (dent["spread"], mold["spread"]) == (1, 4)


def test_samples_nearer_to_another_class_are_confusable():
    found = _measure([("dent", "a", 0), ("dent", "b", 1), ("mold", "c", 3), ("mold", "d", 7)])
    assert found.classes["confusable_share"].to_list() == [0, 0.5]
    assert found.confusable_share == 0.25
    assert found.classes["chance_share"].to_list() == pytest.approx([2 / 3, 2 / 3])


def test_features_that_say_nothing_confuse_as_often_as_chance():
    rng = np.random.default_rng(0)
    labels = ["dent"] * 300 + ["mold"] * 100
    rows = pd.DataFrame({"id": [f"p{n}" for n in range(400)], "label": labels, "group": range(400)})
    classes = input_variation(rows, rng.normal(size=(400, 2)), ("dent", "mold")).classes
    assert classes["chance_share"].to_list() == pytest.approx([0.25, 0.75], abs=0.01)
    assert classes["confusable_share"].to_list() == pytest.approx([0.25, 0.75], abs=0.1)


def test_samples_of_one_group_are_no_neighbours():
    exposures = [("dent", "a", 0), ("dent", "a", 0.1), ("dent", "b", 5), ("mold", "a", 0.2), ("mold", "c", 9)]
    found = _measure(exposures)
    assert found.samples["own_distance"].to_list() == pytest.approx([5, 4.9, 4.9, 8.8, 8.8])
    assert found.samples["other_distance"].to_list() == pytest.approx([9, 8.9, 4, 4.8, 4])
    assert all(tuple(sorted(pair)) != ("p0", "p3") for pair in found.pairs[["id", "other_id"]].to_numpy())


def test_pairs_are_the_hardest_first_and_name_each_sample_once_a_kind():
    samples = [("dent", f"d{number}", 10.0 * number) for number in range(30)]
    samples += [("mold", f"m{number}", 10.0 * number + 1 + number / 100) for number in range(30)]
    pairs = _measure(samples).pairs
    inter, intra = (pairs[pairs["kind"] == kind] for kind in (INTER, INTRA))
    assert inter["distance"].to_list() == pytest.approx([1 + number / 100 for number in range(12)])
    assert (inter["label"] != inter["other_label"]).all()
    assert (intra["label"] == intra["other_label"]).all()
    assert intra["distance"].is_monotonic_decreasing
    assert intra["distance"].iloc[:2].to_list() == pytest.approx([290.29, 290])
    for block in (inter, intra):
        assert len(block) == 12
        assert pd.concat([block["id"], block["other_id"]]).is_unique


@pytest.mark.parametrize("lone", [[("pit", "e", 4)], [("pit", "e", 4), ("pit", "e", 4.5)]])
def test_a_class_of_one_group_has_no_distance_inside(lone):
    found = _measure([("dent", "a", 0), ("dent", "b", 1), ("mold", "c", 3), ("mold", "d", 7), *lone])
    pit = found.classes.set_index("label").loc["pit"]
    assert pit[["own_distance", "spread", "confusable_share", "chance_share"]].isna().all()
    assert pit["nearest_class"] == "mold"
    assert np.isnan(found.nearest_CC.loc["pit", "pit"])
    assert "pit" not in set(found.pairs.loc[found.pairs["kind"] == INTRA, "label"])
    assert np.isfinite(found.confusable_share)


def test_samples_of_one_group_only_leave_nothing_to_measure():
    found = _measure([("dent", "a", 0), ("dent", "a", 1), ("mold", "a", 3)])
    assert found.nearest_CC.isna().all(axis=None)
    assert found.classes["nearest_class"].to_list() == ["", ""]
    assert found.pairs.empty
    assert np.isnan(found.confusable_share)


def test_one_class_is_refused():
    with pytest.raises(DataError, match=r"from two on, got samples of \['dent'\]; add samples of another class"):
        _measure([("dent", "a", 0), ("dent", "b", 1)])

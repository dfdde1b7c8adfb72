"""What networks that are compared learn from."""

import json

import pytest

from glassline.analysis.transfer_arms import random_sources, sources_of_arm
from glassline.errors import DataError, SettingsError

SIZES = {"P1/dent": 6, "P1/mold": 4, "P2/dent": 3, "P2/mold": 9}


@pytest.fixture
def names(make_table, tmp_path):
    """Return the names that an arm learns from: names("random", seed=1)."""
    sizes = {"P1": ["dent"] * 6 + ["mold"] * 4, "P2": ["dent"] * 3 + ["mold"] * 9}
    sources = [make_table(labels, name=name, product=[name] * len(labels)) for name, labels in sizes.items()]
    target = make_table(["dent", "mold"], name="target", product=["T", "T"])

    def run(arm, seed=0, budget=16, chosen=()):
        path = tmp_path / "selection.json"
        path.write_text(json.dumps({"chosen": list(chosen), "candidates": SIZES, "budget": budget}))
        return [source.name for source in sources_of_arm(arm, target, sources, path, seed)]

    return run


def test_arms_pick_their_sources(names):
    assert names("none") == []
    assert names("all") == [*SIZES]
    assert names("dataonomy", chosen=["P2/mold", "P1/dent"]) == ["P2/mold", "P1/dent"]


def test_random_sources_fit_the_budget_and_follow_the_seed(names):
    drawn = [names("random", seed) for seed in range(20)]
    assert drawn == [names("random", seed) for seed in range(20)]
    assert len({tuple(sorted(one)) for one in drawn}) > 1
    for one in drawn:
        left = 16 - sum(SIZES[name] for name in one)
        assert left >= 0
        assert all(SIZES[name] > left for name in set(SIZES) - set(one))


def test_one_class_is_not_drawn_where_two_fit():
    sizes = {"A/large": 10, "A/dent": 5, "B/mold": 5}
    for seed in range(20):
        assert sorted(random_sources(sizes, 10, seed)) == ["A/dent", "B/mold"]
    assert random_sources({"A/large": 10, "A/dent": 9}, 10, 0) in (["A/large"], ["A/dent"])
    assert random_sources({"A": 10, "B": 9}, 10, 0) in (["A"], ["B"])


def test_another_arm_or_source_is_refused(names):
    with pytest.raises(SettingsError, match="one of dataonomy, all, random, none, got 'best'"):
        names("best")
    with pytest.raises(DataError, match=r"must be among .*got \['P9'\]"):
        names("dataonomy", chosen=["P9"])

"""The split of glasses into training, validation and test."""

import json

import pytest

from glassline.data.glass_split import GlassSplit, numbers_of, read_split, split_glasses
from glassline.errors import DataError

GLASSES = [f"G{number:03d}" for number in range(40)]
DEFECTIVE = [number < 10 for number in range(40)]


def _sides(split: GlassSplit) -> list[set[str]]:
    return [set(split.train), set(split.validation), set(split.test)]


def test_split_glasses_puts_every_glass_on_one_side():
    sides = _sides(split_glasses(GLASSES, DEFECTIVE, seed=0))
    assert sum(map(len, sides)) == 40
    assert set().union(*sides) == set(GLASSES)


def test_split_glasses_has_defective_and_clean_ones_on_every_side():
    for side in _sides(split_glasses(GLASSES, DEFECTIVE, seed=0)):
        assert side & set(GLASSES[:10])
        assert side & set(GLASSES[10:])


def test_split_glasses_keeps_the_shares():
    split = split_glasses(GLASSES, DEFECTIVE, seed=0)
    assert (len(split.train), len(split.validation), len(split.test)) == (28, 6, 6)


def test_split_glasses_takes_a_glass_with_one_defective_zone_for_defective():
    groups = [glass for glass in GLASSES[:6] for _ in range(2)]
    split = split_glasses(groups, [number in (1, 3, 4) for number in range(12)], seed=0)
    assert all(len(set(side) & set(GLASSES[:3])) == 1 for side in _sides(split))


def test_split_glasses_follows_the_seed_alone():
    one, other = ([*range(40)], [*reversed(range(40))])
    splits = [split_glasses([GLASSES[n] for n in order], [DEFECTIVE[n] for n in order], 3) for order in (one, other)]
    assert splits[0] == splits[1]
    assert splits[0] != split_glasses(GLASSES, DEFECTIVE, 4)


@pytest.mark.parametrize("defective", [2, 38])
def test_split_glasses_refuses_too_few_of_either(defective):
    with pytest.raises(DataError, match=rf"at least 3 groups with .* got {defective} and {40 - defective}"):
        split_glasses(GLASSES, [number < defective for number in range(40)], seed=0)


def test_read_split_returns_what_was_written(tmp_path):
    split = split_glasses(GLASSES, DEFECTIVE, seed=0)
    split.write(tmp_path / "split.json")
    assert read_split(tmp_path / "split.json") == split


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"train": []})])
def test_read_split_refuses_something_else(tmp_path, content):
    (tmp_path / "split.json").write_text(content)
    with pytest.raises(DataError, match=r"split\.json must tell the split"):
        read_split(tmp_path / "split.json")


def test_split_glasses_trains_on_few_clean_ones_that_are_not_needed():
    groups = [f"G{number}" for number in range(22)]
    split = split_glasses(groups, [True] * 20 + [False] * 2, 0, clean_needed=False)
    assert {"G20", "G21"} <= set(split.train)
    assert len(split.test) == len(split.validation) == 3


def test_numbers_of_glasses_are_those_of_their_images():
    assert numbers_of(["a", "b", "a", "c"], ("c", "a")) == [0, 2, 3]
    assert numbers_of(["a"], ()) == []

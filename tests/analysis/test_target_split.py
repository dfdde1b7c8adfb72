"""A target is split in whole groups, and has no source of its own product."""

from dataclasses import replace

import numpy as np
import pytest

from glassline.analysis.target_split import sources_for, split_target
from glassline.data.sources import sources_of
from glassline.errors import DataError


@pytest.fixture
def target(make_table):
    """Two patches a group, one of them of a class that is rare."""
    labels = ["clean", "dent", "clean", "clean", "dent", "clean"] * 5 + ["chip", "chip"]
    table = make_table(
        labels, classes=("clean", "dent", "chip"), groups=[f"g{number // 2}" for number in range(len(labels))],
        product="T",
    )  # fmt: skip
    return replace(table, clean_class="clean")


def test_no_group_is_torn_and_both_sides_have_both_kinds(target):
    rows_N = np.arange(2, 32)
    train_N, held_N = split_target(target, rows_N, 0.5, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([train_N, held_N])), rows_N)
    groups, clean_N = target.rows["group"].to_numpy(), target.rows["label"].to_numpy() == "clean"
    assert not set(groups[train_N]) & set(groups[held_N])
    for side_N in (train_N, held_N):
        assert set(clean_N[side_N]) == {True, False}
    assert len(held_N) == pytest.approx(15, abs=3)


def test_copies_are_neither_fitted_nor_judged(target):
    copied = target.with_rows(target.rows.assign(augmentation=["flip"] * 4 + [""] * 28))
    train_N, held_N = split_target(copied, np.arange(32), 0.5, 0)
    assert min(train_N.min(), held_N.min()) == 4


@pytest.mark.parametrize(
    ("clean_class", "rows_N", "match"),
    [
        ("", np.arange(32), "must have a clean class, got classes"),
        ("clean", np.array([0, 2, 3]), "clean and defective patches to learn from, got 3 clean of 3"),
        ("clean", np.array([], np.intp), "got 0 clean of 0"),
        ("clean", np.array([0, 1, 2]), "groups to hold out, got class 'defective' in 1 group"),
    ],
)
def test_what_cannot_be_split_is_refused(target, clean_class, rows_N, match):
    with pytest.raises(DataError, match=match):
        split_target(replace(target, clean_class=clean_class), rows_N, 0.5, 0)


def test_a_target_is_no_source_of_itself(target):
    other = target.with_rows(target.rows.assign(product="S"))
    sources = sources_of([other, target])
    assert [source.name for source in sources_for(target, sources)] == ["S/clean", "S/dent", "S/chip"]
    with pytest.raises(DataError, match="sources of other products, got only those of T"):
        sources_for(target, sources_of([target]))

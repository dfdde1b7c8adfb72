"""A balanced draw, and groups held out of it."""

import numpy as np
import pytest

from glassline.data.balanced import draw_balanced, draw_per_class, hold_out_groups, with_copies
from glassline.errors import DataError

LABELS = ["dent"] * 60 + ["mold"] * 40


@pytest.fixture
def table(make_table):
    """100 patches in groups of up to four of a class, and a copy of each."""
    groups = [f"g{row // 4}" for row in range(100)]
    patches_NHW = np.zeros((200, 112, 112), np.uint8)
    return make_table(
        LABELS * 2, patches_NHW=patches_NHW, groups=groups * 2, augmentation=[""] * 100 + ["flip_h"] * 100,
        origin=[""] * 100 + [f"p{row}" for row in range(100)],
    )  # fmt: skip


def test_a_balanced_draw_has_as_many_real_patches_of_each_class_as_the_smallest(table):
    drawn_N = draw_balanced(table, 0)
    assert table.rows["label"].iloc[drawn_N].value_counts().to_dict() == {"dent": 40, "mold": 40}
    assert (drawn_N < 100).all()
    assert not np.array_equal(drawn_N, draw_balanced(table, 1))
    np.testing.assert_array_equal(drawn_N, draw_balanced(table, 0))


def test_draws_of_more_patches_hold_those_of_fewer(table):
    rows_N = np.arange(200)
    assert set(draw_per_class(table, rows_N, 3, 0)) < set(draw_per_class(table, rows_N, 7, 0))


def test_whole_groups_are_held_out_near_the_share_of_every_class(table):
    drawn_N = draw_balanced(table, 0)
    train_N, test_N = hold_out_groups(table, drawn_N, 0.3, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([train_N, test_N])), drawn_N)
    assert not set(table.rows["group"].iloc[train_N]) & set(table.rows["group"].iloc[test_N])
    held = table.rows["label"].iloc[test_N].value_counts() / 40
    np.testing.assert_allclose(held[["dent", "mold"]], 0.3, atol=0.05)


def test_two_groups_are_one_on_each_side(make_table):
    table = make_table(["dent", "mold"] * 4, groups=["a", "a", "b", "b"] * 2)
    train_N, test_N = hold_out_groups(table, np.arange(8), 0.3, 0)
    assert (len(train_N), len(test_N)) == (4, 4)


def test_a_class_in_one_group_is_named(make_table):
    table = make_table(["dent", "dent", "mold", "mold"], groups=["a", "b", "c", "c"])
    with pytest.raises(DataError, match="groups to hold out, got class 'mold' in 1 group; collect samples of it"):
        hold_out_groups(table, np.arange(4), 0.3, 0)


def test_classes_whose_groups_exclude_each_other_are_refused(make_table):
    # dent needs a and b apart, mold b and c, fold a and c: with two sides, one of them loses.
    labels, groups = ["dent", "dent", "mold", "mold", "fold", "fold"], ["a", "b", "b", "c", "a", "c"]
    table = make_table(labels, groups=groups, classes=("dent", "mold", "fold"))
    with pytest.raises(DataError, match=r"got class '\w+' in 2 groups"):
        hold_out_groups(table, np.arange(6), 0.3, 0)


def test_a_class_of_one_patch_is_named_and_one_without_has_no_part(make_table):
    table = make_table(["dent", "dent", "dent", "fold", "fold"], classes=("dent", "fold", "mold"))
    assert table.rows["label"].iloc[draw_balanced(table, 0)].value_counts().to_dict() == {"dent": 2, "fold": 2}
    with pytest.raises(DataError, match="at least 2 patches, got 1 of class 'mold'"):
        draw_balanced(make_table(["dent", "dent", "mold"]), 0)


def test_rows_bring_their_own_copies_only(table):
    assert with_copies(table, np.array([3, 70])).tolist() == [3, 70, 103, 170]


def test_a_table_without_copies_has_none_to_bring(make_table):
    assert with_copies(make_table(["dent", "mold"]), np.array([1])).tolist() == [1]

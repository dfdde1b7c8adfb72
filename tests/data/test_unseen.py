"""What an older table shares with a newer one."""

from glassline.data.unseen import shared_rows


def test_rows_of_the_same_pixels_are_shared(make_table):
    one = make_table(["dent"] * 3, name="one", sha256=["a", "b", "c"], cycle="1")
    other = make_table(["dent"] * 3, name="other", sha256=["c", "d", "e"], cycle="2")
    assert shared_rows(one, other).tolist() == [False, False, True]


def test_rows_of_the_same_glass_are_shared(make_table):
    one = make_table(["dent"] * 3, name="one", sha256=["a", "b", "c"], groups=["g1", "g2", "g3"])
    other = make_table(["dent"] * 3, name="other", sha256=["d", "e", "f"], groups=["g3", "g3", "g4"])
    assert shared_rows(one, other).tolist() == [False, False, True]


def test_a_glass_of_that_name_in_another_cycle_is_another_glass(make_table):
    one = make_table(["dent"] * 3, name="one", sha256=["a", "b", "c"], cycle="1")
    other = make_table(["dent"] * 3, name="other", sha256=["d", "e", "f"], cycle="2")
    assert not shared_rows(one, other).any()

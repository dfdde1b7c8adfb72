"""The id of a reviewed sample survives as text and as a file name."""

import pytest

from glassline.data.reviews.items import Item, item_of_file, overlap, parse_item, same_place
from glassline.errors import DataError

ITEMS = [
    Item("tile/0 1_a.png", "9f2c01ab", (-3, 40, 224, 7)),
    Item("G0001.zarr/clean-03", "00000000", (1, 2, 3, 4)),
    Item("Kratzer-ü%2F.png", "abcdef01"),
    Item("odd@1.2.3.4~aaaaaaaa.png", "abcdef01"),
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.image)
def test_item_reads_back_from_its_id(item):
    assert parse_item(item.identity) == item


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.image)
def test_item_reads_back_from_the_name_of_its_picture(item):
    assert item_of_file(f"images/{item.file_name}") == item
    assert set(item.file_name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@~-_")


@pytest.mark.parametrize("text", ["", "tile.png", "tile.png~short", "tile.png@1.2.3~9f2c01a"])
def test_item_is_none_of_other_text(text):
    assert parse_item(text) is None


def test_item_of_a_file_that_is_no_text_is_none():
    assert item_of_file("_FF_FE~9f2c01ab.png") is None


def test_item_with_too_long_a_name_is_refused():
    with pytest.raises(DataError, match="rename it"):
        _ = Item("x" * 300, "9f2c01ab").file_name


def test_overlap_is_of_the_smaller_box_and_same_place_of_both():
    assert overlap((0, 0, 10, 10), (5, 0, 5, 10)) == 1.0
    assert same_place((0, 0, 10, 10), (5, 0, 5, 10)) == 0.5
    assert overlap((0, 0, 10, 10), (10, 0, 5, 5)) == 0.0

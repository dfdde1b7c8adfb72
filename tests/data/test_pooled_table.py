"""Sources as one table that any model trains on."""

from dataclasses import replace

import numpy as np
import pytest

from glassline.data.pooled_table import pool_sources
from glassline.data.shards import ShardReader
from glassline.data.sources import Source
from glassline.data.store import open_store


@pytest.fixture
def source(make_table):
    """A source of noise: source("A", ["good", "dent"], clean="good", rows=[1])."""

    def make(product, labels, clean, rows=None, **columns):
        noise_NHW = np.random.default_rng(ord(product)).integers(0, 256, (len(labels), 112, 112), dtype=np.uint8)
        classes = tuple(dict.fromkeys(labels))
        table = make_table(labels, patches_NHW=noise_NHW, classes=classes, name=product, product=product, **columns)
        rows_N = np.arange(len(labels)) if rows is None else np.array(rows)
        return Source(product, replace(table, clean_class=clean), rows_N)

    return make


def test_classes_are_joined_by_name_and_clean_ones_take_the_targets(source, tmp_path):
    target = source("T", ["clean", "dent", "fold"], "clean").table
    pool = pool_sources(
        [source("A", ["good", "dent"], "good"), source("B", ["ring", "fine"], "fine")], target, open_store(tmp_path)
    )
    assert pool.rows["label"].tolist() == ["clean", "dent", "ring", "clean"]
    assert (pool.classes, pool.clean_class) == (("clean", "dent", "ring"), "clean")


def test_patches_are_those_of_the_sources(source, tmp_path):
    one, other = source("A", ["good", "dent"], "good"), source("B", ["ring", "fine"], "fine", rows=[1])
    pool = pool_sources([one, other], one.table, open_store(tmp_path / "store"))
    read_NHW = ShardReader(pool.root, "patch").read(pool.rows["shard"], pool.rows["row"])
    for patch_HW, of, row in ((read_NHW[1], one, 1), (read_NHW[2], other, 1)):
        place = of.table.rows.iloc[[row]]
        assert np.array_equal(patch_HW, ShardReader(of.table.root, "patch").read(place["shard"], place["row"])[0])


def test_ids_and_groups_tell_their_product(source, tmp_path):
    pool = pool_sources([source(name, ["good", "dent"], "good") for name in "AB"], source("T", ["x"], "").table,
                        open_store(tmp_path))  # fmt: skip
    assert pool.rows["id"].tolist() == ["A/p0", "A/p1", "B/p0", "B/p1"]
    assert pool.rows["group"].tolist() == ["A/g0", "A/g1", "B/g0", "B/g1"]


def test_a_column_that_a_source_lacks_is_unknown_there(source, tmp_path):
    target = source("T", ["clean", "dent"], "clean", attr_long=[1.0, 2.0]).table
    pool = pool_sources([source("A", ["clean", "dent"], "clean", attr_odd=[1.0, 2.0])], target, open_store(tmp_path))
    assert pool.attributes == target.attributes
    assert pool.rows["attr_long"].isna().all()

"""Pooled sources: every row is found in its own table, under the class of its source."""

import numpy as np
import pytest

from glassline.data.samples import SampleTable
from glassline.data.sources import Source, sources_of
from glassline.errors import DataError
from glassline.training.data import batches
from glassline.training.pooled import PooledPatches


@pytest.fixture
def tables(make_table) -> list[SampleTable]:
    """Two products whose patches are flat: grey level 10 * row in the first, 100 + 10 * row in the second."""
    made = []
    for number, labels in enumerate((["dent", "mold", "dent", "mold", "dent"], ["dent", "dent", "mold"])):
        levels = (100 * number + 10 * np.arange(len(labels))).astype(np.uint8)
        patches_NHW = np.broadcast_to(levels[:, None, None], (len(labels), 112, 112))
        product = [f"P{number}"] * len(labels)
        made.append(make_table(labels, patches_NHW=patches_NHW, name=f"shards{number}", product=product))
    return made


def _levels(pool: PooledPatches, indices: list[int]) -> list[int]:
    return pool.__getitems__(indices)["patch_BHW"][:, 5, 5].tolist()


def test_sources_are_classes_and_rows_come_from_their_tables_in_the_order_asked_for(tables):
    pool = PooledPatches(sources_of(tables))
    assert pool.classes == ("P0/dent", "P0/mold", "P1/dent", "P1/mold")
    assert len(pool) == 8
    assert _levels(pool, list(range(8))) == [0, 20, 40, 10, 30, 100, 110, 120]
    assert _levels(pool, [7, 0, 5, 4]) == [120, 0, 100, 30]
    batch = pool.__getitems__([7, 0, 5, 4])
    assert batch["label_B"].tolist() == [3, 0, 2, 1]
    assert batch["metadata_BM"].shape == (4, 0)
    assert pool.labels_N.tolist() == [0, 0, 0, 1, 1, 2, 2, 3]
    assert pool[6]["patch_BHW"].shape == (1, 112, 112)


def test_a_whole_table_has_the_classes_of_its_table(tables):
    whole, one = sources_of(tables, "table")[0], sources_of(tables)[2]
    pool = PooledPatches([whole, one])
    assert pool.classes == ("P0/dent", "P0/mold", "P1/dent")
    assert pool.labels_N.tolist() == [0, 1, 0, 1, 0, 2, 2]
    assert PooledPatches([whole]).classes == ("P0/dent", "P0/mold")


def test_an_epoch_evens_sources_of_any_size(tables):
    pool = PooledPatches(sources_of(tables))
    (epoch,) = batches(pool, 8, 0, shuffle_seed=0, even=True)
    assert np.bincount(epoch["label_B"]).tolist() == [2, 2, 2, 2]


def test_one_class_is_refused(tables):
    with pytest.raises(DataError, match=r"at least two classes, to tell them apart, got \['P0/dent'\]"):
        PooledPatches(sources_of(tables)[:1])
    with pytest.raises(DataError, match=r"at least two classes, to tell them apart, got \[\]"):
        PooledPatches([])


def test_patches_of_another_size_are_refused(make_table, tables):
    small = make_table(["dent"], patches_NHW=np.zeros((1, 64, 64), np.uint8), name="small", product=["P2"])
    with pytest.raises(DataError, match="patches of 112 px, got 64 of P2/dent"):
        PooledPatches([*sources_of(tables), *sources_of([small])])


def test_the_hash_tells_rows_and_names_apart_and_nothing_else(tables):
    def hash_of(*sources: Source) -> str:
        return PooledPatches(sources).content_hash()

    first, second, third, _ = sources_of(tables)
    fewer = Source(first.name, first.table, first.rows_N[:2])
    renamed = Source("P9/dent", first.table, first.rows_N)
    assert hash_of(first, second) == hash_of(first, second)
    assert len({hash_of(*pair) for pair in ([first, second], [fewer, second], [first, third], [renamed, second])}) == 4

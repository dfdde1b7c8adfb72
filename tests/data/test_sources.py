"""Sources: classes of tables or whole tables, by name."""

import numpy as np
import pandas as pd
import pytest

from glassline.data.samples import PATCH_COLUMNS, SampleTable
from glassline.data.sources import product_of, sources_of
from glassline.errors import DataError


def _table(product: str, labels: list[str], clean_class: str = "clean") -> SampleTable:
    rows = pd.DataFrame({name: [""] * len(labels) for name in PATCH_COLUMNS})
    rows = rows.assign(id=[f"{product}{n}" for n in range(len(labels))], label=labels, product=product)
    return SampleTable(rows, "patches", "", ("dent", "scratch", "clean"), clean_class)


def test_sources_are_the_classes_that_have_rows() -> None:
    found = sources_of([_table("A", ["dent", "clean", "dent"]), _table("B", ["clean"])])
    assert [source.name for source in found] == ["A/dent", "A/clean", "B/clean"]
    assert [len(source) for source in found] == [2, 1, 1]
    assert found[0].rows_N.tolist() == [0, 2]
    assert [source.defective_N.tolist() for source in found] == [[True, True], [False], [False]]


def test_sources_can_be_whole_tables() -> None:
    (found,) = sources_of([_table("A", ["dent", "clean"])], by="table")
    assert (found.name, found.rows_N.tolist()) == ("A", [0, 1])
    np.testing.assert_array_equal(found.defective_N, [True, False])


def test_products_must_be_told_apart() -> None:
    mixed = _table("A", ["dent", "clean"])
    mixed = mixed.with_rows(mixed.rows.assign(product=["A", "B"]))
    with pytest.raises(DataError, match="one product"):
        product_of(mixed)
    with pytest.raises(DataError, match="different products"):
        sources_of([_table("A", ["dent"]), _table("A", ["clean"])])
    with pytest.raises(DataError, match="different products"):
        sources_of([])

"""The sample table: checked, hashed, written whole."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glassline.data.samples import IMAGE_COLUMNS, SampleTable, read_samples
from glassline.errors import DataError


@pytest.fixture
def table() -> SampleTable:
    rows = pd.DataFrame({name: ["", "", ""] for name in IMAGE_COLUMNS})
    rows = rows.assign(
        id=["a", "b", "c"], label=["dent", "control", "dent"], x_mm=[1.5, np.nan, 3.0], y_mm=np.nan, pitch_um=11.4,
        width_px=40, height_px=30, bit_depth=8,
    )  # fmt: skip
    return SampleTable(rows, "images", "/some/folder", ("dent", "control"), "control")


def test_content_hash_does_not_depend_on_row_order_column_order_or_root(table):
    turned = table.rows.iloc[::-1][list(reversed(table.rows.columns))]
    assert table.with_rows(turned).content_hash() == table.content_hash()
    assert replace(table, root="s3://elsewhere").content_hash() == table.content_hash()


@pytest.mark.parametrize(("column", "value"), [("label", "control"), ("x_mm", 1.5000001), ("sha256", "0"), ("id", "d")])
def test_content_hash_changes_with_one_value(table, column, value):
    rows = table.rows.copy()
    rows.loc[0, column] = value
    assert table.with_rows(rows).content_hash() != table.content_hash()


@pytest.mark.parametrize("change", [{"classes": ("control", "dent")}, {"clean_class": ""}])
def test_content_hash_changes_with_the_classes(table, change):
    assert replace(table, **change).content_hash() != table.content_hash()


def test_content_hash_changes_with_a_row_or_column_more(table):
    assert table.with_rows(table.rows.iloc[:2]).content_hash() != table.content_hash()
    assert table.with_rows(table.rows.assign(fold=0)).content_hash() != table.content_hash()


def test_table_survives_writing_and_reading(table, tmp_path):
    table.write(tmp_path / "samples.parquet")
    read = read_samples(tmp_path / "samples.parquet", "images")
    assert (read.root, read.classes, read.clean_class) == (table.root, table.classes, table.clean_class)
    assert read.content_hash() == table.content_hash()
    pd.testing.assert_frame_equal(read.rows, table.rows)


def test_attributes_are_location_then_sorted_candidate_attributes(table):
    rows = table.rows.assign(attr_z=0.0, attr_a=0.0)
    assert table.with_rows(rows).attributes == ["x_mm", "y_mm", "attr_a", "attr_z"]


def test_table_refuses_a_missing_column(table):
    with pytest.raises(DataError, match="missing: group, sha256"):
        table.with_rows(table.rows.drop(columns=["group", "sha256"]))


def test_table_refuses_an_id_twice(table):
    with pytest.raises(DataError, match="unique, got 'a' twice"):
        table.with_rows(table.rows.assign(id=["a", "b", "a"]))


def test_table_refuses_a_label_without_class(table):
    with pytest.raises(DataError, match=r"got \['dent'\]"):
        replace(table, classes=("control",))


def test_table_refuses_a_clean_class_without_class(table):
    with pytest.raises(DataError, match="clean_class must be one of"):
        replace(table, clean_class="Free")


def test_read_samples_refuses_the_other_kind(table, tmp_path):
    table.write(tmp_path / "samples.parquet")
    with pytest.raises(DataError, match=r"samples\.parquet must hold patches, got images; run extract_candidates"):
        read_samples(tmp_path / "samples.parquet", "patches")


def test_read_samples_refuses_a_missing_column(table, tmp_path):
    table.write(tmp_path / "samples.parquet")
    with pytest.raises(DataError, match=r"missing: \['fold'\]; run split_samples first"):
        read_samples(tmp_path / "samples.parquet", "images", extra=["fold"])


def test_read_samples_refuses_a_plain_parquet_file(tmp_path):
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "plain.parquet")
    with pytest.raises(DataError, match="a plain Parquet file"):
        read_samples(tmp_path / "plain.parquet", "images")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"some text", None])
def test_read_samples_refuses_an_unreadable_file(tmp_path, content):
    if content is not None:
        (tmp_path / "bad.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.parquet must be a Parquet sample table"):
        read_samples(tmp_path / "bad.parquet", "images")


def test_read_samples_refuses_a_truncated_file(table, tmp_path):
    path = tmp_path / "samples.parquet"
    table.write(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="must be a Parquet sample table"):
        read_samples(path, "images")

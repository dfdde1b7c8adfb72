"""Captures and labels in an object store: the table, its hash and its patches are those of a folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.data.importers import read_source, source_hash
from glassline.data.ingest import ingest
from glassline.data.location import open_location
from glassline.errors import DataError, StorageError
from glassline.vision.patches import dark_field_extract, extract_patches


@pytest.fixture
def local(write_labelled: Callable[..., Path], tmp_path: Path) -> Path:
    return write_labelled(tmp_path / "captures", glasses=3, size_px=96)


@pytest.fixture
def remote(local: Path, s3: str) -> str:
    """Send captures and labels to S3 and return the URL of the labels' folder."""
    ingest(local, f"{s3}/captures")
    labels = json.loads((local / "labels.json").read_text()) | {"captures": f"{s3}/captures"}
    open_location(f"{s3}/cycle-7").write("labels.json", json.dumps(labels).encode())
    return f"{s3}/cycle-7"


def test_captures_in_s3_give_the_table_of_a_folder(local: Path, remote: str) -> None:
    table = read_source(remote, "captures")
    assert table.root == remote.replace("cycle-7", "captures")
    assert table.content_hash() == read_source(local, "captures").content_hash()
    assert source_hash(remote, "captures") == source_hash(f"{remote}/labels.json", "captures")


def test_captures_in_s3_give_the_patches_of_a_folder(local: Path, remote: str, tmp_path: Path) -> None:
    tables = [
        extract_patches(read_source(source, "captures"), tmp_path / name, dark_field_extract(), lambda *_: None)[0]
        for name, source in (("a", local), ("b", remote))
    ]
    assert tables[0].content_hash() == tables[1].content_hash()


def test_captures_in_s3_name_the_url_of_bad_labels(remote: str) -> None:
    open_location(remote).write("labels.json", b"{}")
    with pytest.raises(DataError, match=f"{remote}/labels.json must be a label file"):
        read_source(remote, "captures")


def test_captures_in_s3_name_a_label_file_that_is_not_there(remote: str) -> None:
    with pytest.raises((DataError, StorageError), match=r"none\.json"):
        read_source(f"{remote}/none.json", "captures")


def test_captures_in_s3_lie_where_the_labels_say_from_their_own_folder_on(local: Path, remote: str, s3: str) -> None:
    labels = json.loads((local / "labels.json").read_text()) | {"captures": "../captures"}
    open_location(remote).write("labels.json", json.dumps(labels).encode())
    assert read_source(remote, "captures").root == f"{s3}/captures"
    assert source_hash(remote, "captures") == source_hash(local, "captures")


def test_captures_in_s3_refuse_labels_that_name_a_folder_of_some_machine(local: Path, remote: str) -> None:
    labels = json.loads((local / "labels.json").read_text()) | {"captures": str(local)}
    open_location(remote).write("labels.json", json.dumps(labels).encode())
    with pytest.raises(DataError, match=f"{remote}/labels.json must name its captures by URL"):
        read_source(remote, "captures")

"""Lists of data sets to learn from: paths, hashes, and what a broken list gets."""

from pathlib import Path

import pytest

from glassline.data.importers import source_hash
from glassline.data.location import open_location
from glassline.data.source_list import read_source_list, source_entries
from glassline.errors import DataError, SettingsError, StorageError

_LIST = """
- {data: tiles, data_format: image-folder, product: tile, cut: {window_px: 96}}
- {data: 's3://old/labels.json', data_format: captures, product: P7, data_hash: abc}
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "sources.yaml"
    path.write_text(text)
    return path


def test_paths_start_at_the_list(tmp_path: Path) -> None:
    first, second = read_source_list(_written(tmp_path, _LIST))
    assert (first.data, second.data) == (str(tmp_path / "tiles"), "s3://old/labels.json")
    assert (first.cut, second.clean_class) == ({"window_px": 96}, "")


def test_paths_of_a_list_in_s3_start_at_its_prefix(tmp_path: Path, s3: str) -> None:
    open_location(f"{s3}/cycle-7").write("sources.yaml", _LIST.replace("data: tiles", "data: ../tiles").encode())
    first, second = read_source_list(f"{s3}/cycle-7/sources.yaml")
    assert (first.data, second.data) == (f"{s3}/tiles", "s3://old/labels.json")


def test_entries_carry_the_hash_of_their_data_unless_it_is_stated(tmp_path: Path) -> None:
    (tmp_path / "tiles" / "dark").mkdir(parents=True)
    (tmp_path / "tiles" / "dark" / "0.png").write_bytes(b"pixels")
    listed = _written(tmp_path, _LIST)
    first, second = source_entries(listed, hashed=True)
    assert first["data_hash"] == source_hash(tmp_path / "tiles", "image-folder")
    assert second["data_hash"] == "abc"
    assert [one["data_hash"] for one in source_entries(listed, hashed=False)] == ["", "abc"]


def test_a_missing_set_is_told_when_it_is_hashed(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="tiles"):
        source_entries(_written(tmp_path, _LIST), hashed=True)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "must list data sets"),
        ("data: tiles", "must list data sets"),
        ("- tiles", "must list data sets"),
        ("- {data: [", "must be a YAML list"),
        ("- {data: tiles, product: tile, colour: red}", "colour"),
        ("- {data: tiles, product: tile, data_format: zip}", "data_format must be one of"),
        ("- {data: tiles, product: a/b}", "product"),
        ("- {data: tiles, product: P7}\n- {data: others, product: P7}", "each product once"),
    ],
)
def test_a_broken_list_is_refused(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises((DataError, SettingsError), match=match):
        read_source_list(_written(tmp_path, text))


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--set sources=FILE"):
        read_source_list(tmp_path / "sources.yaml")

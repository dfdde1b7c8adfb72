"""A zone that is not as it was written: every read and `verify` notice."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures.manifest import FileSum, Manifest
from glassline.data.captures.store import Window, open_captures
from glassline.errors import DataError

CHUNK = "c/0/0/0"


@pytest.fixture
def folder(captures, zone) -> Path:
    return Path(captures.location.url) / zone.path


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_whole_zone_has_nothing_wrong(captures, zone):
    assert captures.verify(zone) == []
    assert captures.unfinished() == []


@pytest.mark.parametrize("place", [0, 5, 40, -5, -1])
def test_read_and_verify_find_a_flipped_bit(captures, zone, folder, place):
    _flip(folder / CHUNK, place)
    with pytest.raises(DataError, match=r"zone clean-03 of glass G0001 .*damaged c/0/0/0"):
        captures.read(zone)
    assert captures.verify(zone) == [f"{zone.path}/{CHUNK} has changed since it was written"]


@pytest.mark.parametrize("size_bytes", [0, 3, 4, 20, -1])
def test_read_finds_a_truncated_chunk(captures, zone, folder, size_bytes):
    (folder / CHUNK).write_bytes((folder / CHUNK).read_bytes()[:size_bytes])
    with pytest.raises(DataError, match=r"zone clean-03 of glass G0001 .*damaged c/0/0/0"):
        captures.read(zone, Window(1, 1, 2, 2))
    assert captures.verify(zone) == [f"{zone.path}/{CHUNK} has changed since it was written"]


def test_a_missing_chunk_is_damage_and_not_darkness(captures, zone, folder):
    (folder / CHUNK).unlink()
    with pytest.raises(DataError, match=r"glass G0001 .*got no c/0/0/0"):
        captures.read(zone)
    assert captures.verify(zone) == [f"{zone.path}/{CHUNK} is missing"]


def test_a_chunk_of_another_zone_is_found_by_verify(captures, zone, folder, make_meta, make_frames):
    captures.write(make_meta(zone=4), make_frames(9))
    (folder / CHUNK).write_bytes((folder.with_name("clean-04") / CHUNK).read_bytes())
    assert captures.verify(zone) == [f"{zone.path}/{CHUNK} has changed since it was written"]


def test_verify_finds_a_file_that_nobody_wrote(captures, zone, folder):
    (folder / "notes.txt").touch()
    assert captures.verify(zone) == [f"{zone.path}/notes.txt is not in the manifest"]


def test_attributes_edited_by_hand_are_found(captures, zone, folder):
    told = (folder / "zarr.json").read_text()
    (folder / "zarr.json").write_text(told.replace('"gain_db": 1.5', '"gain_db": 2.5'))
    with pytest.raises(DataError, match=r"zone clean-03 of glass G0001 .*zarr\.json that was changed"):
        captures.meta(zone)
    assert captures.verify(zone) == [f"{zone.path}/zarr.json has changed since it was written"]


def test_a_manifest_edited_by_hand_is_found(captures, zone, folder):
    """The chunk and its sum in the manifest are changed together; the manifest's own sum tells."""
    (folder / CHUNK).write_bytes(b"other")
    told = json.loads((folder / "manifest.json").read_text())
    told["files"][CHUNK] = [5, FileSum.of(b"other").sha256]
    (folder / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(DataError, match=r"G0001\.zarr/clean-03 .*changed after it was written"):
        captures.content_hash()
    with pytest.raises(DataError, match="changed after it was written"):
        captures.read(zone)
    assert len(captures.verify(zone)) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"files": {}}', '{"files": {"a": 1}}', '{"files": [1]}'])
def test_a_manifest_that_is_none_is_found(captures, zone, folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=r"G0001\.zarr/clean-03 must have its own manifest"):
        captures.meta(zone)


def test_a_manifest_of_another_zone_is_found(captures, zone, folder, make_meta, make_frames):
    captures.write(make_meta(zone=4), make_frames())
    (folder / "manifest.json").write_bytes((folder.with_name("clean-04") / "manifest.json").read_bytes())
    assert "got that of G0001.zarr/clean-04" in captures.verify(zone)[0]


def test_a_zone_under_another_name_is_found(captures, zone, folder):
    """Even when its manifest is written anew: the attributes name the zone."""
    other = folder.with_name("clean-05")
    folder.rename(other)
    manifest = Manifest.parse(zone.path, (other / "manifest.json").read_bytes())
    (other / "manifest.json").write_bytes(Manifest("G0001.zarr/clean-05", manifest.files).to_bytes())
    with pytest.raises(DataError, match=r"clean-05 of glass G0001 .*the zarr\.json of G0001\.zarr/clean-03"):
        captures.meta(captures.zones()[0])


def test_a_zone_without_attributes_is_damage(captures, zone, folder):
    (folder / "zarr.json").unlink()
    with pytest.raises(DataError, match=r"zone clean-03 of glass G0001 .*got no zarr\.json"):
        captures.meta(zone)


def test_a_folder_with_another_name_is_no_zone(captures, zone, folder):
    folder.rename(folder.with_name("clean-003"))
    assert captures.zones() == captures.unfinished() == []


def test_a_zone_without_manifest_is_not_there(captures, zone, folder):
    (folder / "manifest.json").unlink()
    assert zone not in captures
    assert captures.zones() == []
    assert captures.unfinished() == [zone]
    with pytest.raises(DataError, match=r"G0001\.zarr/clean-03 must be a whole zone"):
        captures.read(zone)


@pytest.mark.parametrize("content", [None, b"{}"])
def test_verify_finds_a_changed_group(captures, zone, folder, content):
    group = folder.with_name("zarr.json")
    group.unlink() if content is None else group.write_bytes(content)
    assert captures.verify(zone)[0].startswith("G0001.zarr/zarr.json ")


def test_captures_travel_between_processes(captures, zone, make_frames):
    captures.read(zone)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(captures)).read(zone), make_frames())


def test_content_hash_of_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match="at least one whole zone"):
        open_captures(tmp_path).content_hash()

"""What a folder and an S3 prefix do alike."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from glassline.data.location import Entry, Location, open_location
from glassline.errors import SettingsError, StorageError


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    return open_location(tmp_path / "kept" if request.param == "folder" else request.getfixturevalue("s3") + "/kept")


def test_location_reads_what_it_wrote_and_overwrites_it(place: Location) -> None:
    place.write("a/b.txt", b"one")
    place.write("a/b.txt", b"two")
    assert place.read("a/b.txt") == b"two"


def test_location_lists_files_by_whole_name_and_hides_what_is_hidden(place: Location) -> None:
    for name in ("b/c", "b-c", "b/d/e", ".x", "b/.y/z"):
        place.write(name, name.encode())
    assert list(place.entries()) == [Entry("b-c", 3), Entry("b/c", 3), Entry("b/d/e", 5)]


def test_location_lists_its_direct_folders(place: Location) -> None:
    for name in ("b/c", "a/d/e", "f", ".x/y"):
        place.write(name, b"1")
    assert place.folders() == ["a", "b"]


def test_location_with_nothing_in_it_is_empty(place: Location) -> None:
    assert list(place.entries()) == []
    assert place.below("none").folders() == []


def test_location_below_is_the_same_place_by_a_longer_name(place: Location) -> None:
    place.below("a").write("b", b"1")
    assert place.read("a/b") == b"1"
    assert place.below("a").url == place.url + "/a"


def test_location_knows_files_and_not_folders(place: Location) -> None:
    place.write("a/b", b"1")
    assert place.exists("a/b")
    assert not place.exists("a")
    assert not place.exists("c")


def test_location_copies_files_in_and_out_whole(place: Location, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(content := bytes(range(256)) * 40)
    place.upload(tmp_path / "in", "a/b")
    place.download("a/b", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content
    assert [entry.size_bytes for entry in place.entries()] == [len(content)]


def test_location_keeps_an_empty_file(place: Location, tmp_path: Path) -> None:
    (tmp_path / "in").touch()
    place.upload(tmp_path / "in", "empty")
    assert place.read("empty") == b""


def test_location_forgets_a_removed_file_and_minds_no_missing_one(place: Location) -> None:
    place.write("a", b"1")
    place.remove("a")
    place.remove("a")
    assert not place.exists("a")


def test_location_names_a_missing_file(place: Location, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"kept/none must be .*; check"):
        place.read("none")
    with pytest.raises(StorageError, match=r"kept/none must be .*; check"):
        place.download("none", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_location_names_a_missing_file_to_upload(place: Location, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone must be"):
        place.upload(tmp_path / "gone", "a")
    assert list(place.entries()) == []


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".", "a\0b"])
def test_location_refuses_names_that_lead_elsewhere(place: Location, name: str) -> None:
    for call in (place.read, place.exists, place.below, place.remove, lambda name: place.write(name, b"")):
        with pytest.raises(StorageError, match="must be relative"):
            call(name)


def test_location_travels_to_another_process(place: Location) -> None:
    place.write("a", b"1")
    assert pickle.loads(pickle.dumps(place)).read("a") == b"1"


def test_location_serves_zarr(place: Location) -> None:
    import zarr

    array = zarr.create_array(
        place.zarr_store(read_only=False), name="z", shape=(9, 7), chunks=(4, 4), dtype="u2", overwrite=True
    )
    array[:] = np.arange(63).reshape(9, 7)
    again = zarr.open_array(place.zarr_store(), path="z", mode="r")
    np.testing.assert_array_equal(again[3:6, 2:5], np.arange(63).reshape(9, 7)[3:6, 2:5])
    assert "z/zarr.json" in [entry.name for entry in place.entries()]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("gs://bucket/a", "must be a folder or s3://"),
        ("https://host/a", "must be a folder or s3://"),
        ("s3://", "with a bucket"),
        ("s3:///a", "with a bucket"),
        ("s3://No_Bucket/a", "with a bucket"),
        ("s3://bucket/a/../b", "must be relative"),
        ("s3://bucket//a", "must be relative"),
    ],
)
def test_open_location_refuses_what_it_cannot_reach(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        open_location(url)


def test_open_location_never_repeats_a_secret() -> None:
    with pytest.raises(SettingsError) as refused:
        open_location("s3://KEY:hidden@bucket/a")
    assert "hidden" not in str(refused.value)


def test_open_location_contacts_and_makes_nothing(tmp_path: Path) -> None:
    assert open_location("s3://bucket/a/").url == "s3://bucket/a"
    assert open_location(tmp_path / "a" / "..").url == str(tmp_path)
    assert list(tmp_path.iterdir()) == []

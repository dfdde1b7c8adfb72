"""What a store promises, in a folder and in S3."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.data.store import Store, open_store
from glassline.errors import DataError, SettingsError, StorageError


@pytest.fixture
def store(place: str) -> Store:
    return open_store(place)


def _keep_folder(store: Store, name: str, **files: str) -> None:
    with store.keep(name) as beside:
        beside.mkdir(parents=True)
        for file, text in files.items():
            (beside / file).write_text(text)


def test_a_kept_file_is_found_from_elsewhere(store: Store, place: str, elsewhere: Callable[[], None]) -> None:
    assert store.found("heat/a.npy") is None
    with store.keep("heat/a.npy") as beside:
        beside.write_text("heat")
    elsewhere()
    found = open_store(place).found("heat/a.npy")
    assert found is not None
    assert found.read_text() == "heat"


def test_a_kept_folder_is_found_whole_from_elsewhere(store: Store, place: str, elsewhere: Callable[[], None]) -> None:
    _keep_folder(store, "bases/k", a="1", b="2")
    elsewhere()
    kept = open_store(place).kept("bases/k")
    assert kept is not None
    assert kept.file("a").read_text() == "1"
    assert {path.name: path.read_text() for path in kept.whole().iterdir() if path.suffix != ".lock"} == {
        "a": "1", "b": "2",
    }  # fmt: skip


def test_a_kept_folder_is_opened_by_its_url(store: Store, elsewhere: Callable[[], None]) -> None:
    _keep_folder(store, "patches/k", shard="pixels")
    kept = store.kept("patches/k")
    assert kept is not None
    elsewhere()
    assert open_store(kept.url).file("shard").read_text() == "pixels"


@pytest.mark.parametrize("folder", [False, True])
def test_what_fails_while_it_is_made_is_not_kept(store: Store, folder: bool) -> None:
    def die(beside: Path) -> None:
        beside.mkdir(parents=True) if folder else beside.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError), store.keep("x/y") as beside:
        die(beside)
    assert store.found("x/y") is None
    assert store.kept("x/y") is None


def test_two_writers_of_one_folder_leave_one_whole_result(
    store: Store, place: str, elsewhere: Callable[[], None]
) -> None:
    with store.keep("k") as one, store.keep("k") as two:
        for beside, text in ((one, "1"), (two, "2")):
            beside.mkdir(parents=True)
            (beside / "a").write_text(text)
            (beside / "b").write_text(text)
    elsewhere()
    kept = open_store(place).kept("k")
    assert kept is not None
    assert kept.file("a").read_text() == kept.file("b").read_text()


@pytest.mark.parametrize("files", [{}, {".lock": ""}])
def test_an_empty_folder_is_not_kept(store: Store, place: str, files: dict[str, str]) -> None:
    with pytest.raises(
        StorageError, match=f"^{place}/bases/k must be kept with at least one file, got an empty folder"
    ):
        _keep_folder(store, "bases/k", **files)
    assert store.kept("bases/k") is None


def test_made_makes_once(store: Store) -> None:
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        folder.mkdir(parents=True)
        (folder / "a").write_text("made")

    assert [store.made("k", make).file("a").read_text() for _ in range(2)] == ["made", "made"]
    assert len(calls) == 1


def test_a_missing_file_is_named(store: Store, place: str) -> None:
    with pytest.raises(StorageError, match=f"{place}/shards/patch-0.npy must be"):
        store.below("shards").file("patch-0.npy")


@pytest.mark.parametrize("name", ["../a", "/a", "a//b", ""])
def test_a_name_that_leaves_the_store_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StorageError, match="must be relative"):
        store.file(name)


def test_sent_files_are_found_from_elsewhere_until_they_are_forgotten(
    store: Store, place: str, elsewhere: Callable[[], None]
) -> None:
    for text in ("epoch 1", "epoch 2"):
        store.folder.mkdir(parents=True, exist_ok=True)
        (store.folder / "last.ckpt").write_text(text)
        store.send("last.ckpt")
    elsewhere()
    again = open_store(place)
    found = again.found("last.ckpt")
    assert found is not None
    assert found.read_text() == "epoch 2"
    again.forget()
    elsewhere()
    assert open_store(place).found("last.ckpt") is None


def test_an_opened_file_keeps_its_name_and_errors_name_its_url(store: Store, place: str) -> None:
    with store.keep("a/0.png") as beside:
        beside.write_text("pixels")
    with store.opened("a/0.png") as path:
        assert (path.name, path.read_text()) == ("0.png", "pixels")
    with pytest.raises(DataError, match=f"^{place}/a/0.png must be an image"), store.opened("a/0.png") as path:
        raise DataError(f"{path} must be an image")


def test_a_store_travels(store: Store) -> None:
    _keep_folder(store, "k", a="1")
    kept = pickle.loads(pickle.dumps(store)).kept("k")
    assert kept.file("a").read_text() == "1"


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(SettingsError, match="s3://bucket/prefix"):
        open_store("gs://bucket/store")

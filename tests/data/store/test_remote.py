"""What only a store in S3 can get wrong: uploads that were killed, its folder of this machine, the server."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from glassline.data.location import open_location
from glassline.data.location import s3 as s3_location
from glassline.data.location.local import LocalFolder
from glassline.data.location.s3 import S3Prefix
from glassline.data.store import Store, fetched, open_store, place_hash
from glassline.data.store.scratch import RecentFiles, _recent_files
from glassline.errors import StorageError


@pytest.fixture
def store(s3: str) -> Store:
    return open_store(f"{s3}/store")


def _keep(store: Store, name: str, text: str = "whole") -> None:
    with store.keep(name) as beside:
        beside.mkdir(parents=True)
        for file in ("a", "b", "c"):
            (beside / file).write_text(text)


@pytest.mark.parametrize("sent", range(4))
def test_a_killed_upload_is_not_trusted_and_the_next_is(
    store: Store, sent: int, monkeypatch: pytest.MonkeyPatch, elsewhere: Callable[[], None]
) -> None:
    ask, left = s3_location._ask, [sent]

    def die(operation: str, *given: object, **more: object) -> object:
        if operation == "put_object":
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
        return ask(operation, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(s3_location, "_ask", die)
        with pytest.raises(KeyboardInterrupt):
            _keep(store, "k")
    assert store.kept("k") is None
    elsewhere()
    _keep(open_store(store.url), "k")
    kept = open_store(store.url).kept("k")
    assert kept is not None
    assert sorted(path.name for path in kept.whole().iterdir() if not path.name.startswith(".")) == ["a", "b", "c"]


def test_two_writers_of_one_name_both_end_well(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, left = s3_location._ask, ["theirs"]

    def met(operation: str, url: str, **given: object) -> object:
        answer = ask(operation, url, **given)
        if url.endswith("/k/whole") and left:  # the other comes between this one's marker and what follows
            _keep(store, "k", left.pop())
        return answer

    monkeypatch.setattr(s3_location, "_ask", met)
    _keep(store, "k", "ours")
    kept = store.kept("k")
    assert kept is not None
    assert [kept.file(name).read_text() for name in "abc"] == ["theirs"] * 3


def test_a_kept_folder_that_lost_a_file_is_told(store: Store, elsewhere: Callable[[], None]) -> None:
    _keep(store, "k")
    kept = store.kept("k")
    assert kept is not None
    open_location(kept.url).remove("b")
    elsewhere()
    with pytest.raises(StorageError, match="must hold the files that were kept"):
        open_store(kept.url).whole()


def test_what_was_kept_is_not_fetched_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _keep(store, "k")
    with store.keep("f") as beside:
        beside.write_text("file")
    monkeypatch.setattr("glassline.data.location.s3.S3Prefix.download", None)
    kept = store.kept("k")
    assert kept is not None
    assert kept.file("a").read_text() == "whole"
    assert store.file("f").read_text() == "file"


def test_many_threads_fetch_a_file_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, elsewhere: Callable[[], None]
) -> None:
    with store.keep("shard") as beside:
        beside.write_text("pixels")
    elsewhere()
    again, calls, download = open_store(store.url), [], S3Prefix.download

    def counted(place: S3Prefix, name: str, target: Path) -> None:
        calls.append(name)
        download(place, name, target)

    monkeypatch.setattr(S3Prefix, "download", counted)
    with ThreadPoolExecutor(8) as pool:
        assert {path.read_text() for path in pool.map(again.file, ["shard"] * 8)} == {"pixels"}
    assert calls == ["shard"]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_worker_reads_and_shares_what_it_fetched(store: Store, elsewhere: Callable[[], None]) -> None:
    with store.keep("shard") as beside:
        beside.write_text("pixels")
    elsewhere()
    again = open_store(store.url)
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as worker:
        path = worker.submit(again.file, "shard").result(30)
    assert path.read_text() == "pixels"


def test_the_folder_of_a_process_is_removed_at_its_end(tmp_path: Path) -> None:
    code = "from glassline.data.store import open_store; s = open_store('s3://bucket/x'); print(s.folder)"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    assert list(tmp_path.iterdir()) == []


def test_missing_keys_and_a_silent_server_are_no_missing_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        with pytest.raises(StorageError, match="AWS_ACCESS_KEY_ID"):
            store.found("a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="must answer"):
        store.kept("a")


def _opened(url: str) -> bytes:
    folder, _, name = url.rpartition("/")
    with open_store(folder).opened(name) as path:
        return path.read_bytes()


def _fetched(url: str) -> bytes:
    with fetched(url) as path:
        return path.read_bytes()


def _file(url: str) -> Path:
    folder, _, name = url.rpartition("/")
    return open_store(folder).file(name)


@pytest.mark.parametrize("read", [_file, _opened, _fetched, place_hash])
def test_a_full_disk_is_told_with_what_it_should_hold_and_how_to_choose_another(
    store: Store, read: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, elsewhere: Callable[[], None]
) -> None:
    open_location(store.url).write("shard", b"pixels")
    elsewhere()
    ask = s3_location._ask

    def fill(operation: str, *given: object, **more: object) -> object:
        if operation == "download_file":
            raise OSError(errno.ENOSPC, "No space left on device")
        return ask(operation, *given, **more)

    monkeypatch.setattr(s3_location, "_ask", fill)
    with pytest.raises(StorageError, match=f"must have room for {store.url}/shard, got No space left.*TMPDIR"):
        read(f"{store.url}/shard")


class _Counted(LocalFolder):
    downloads = 0

    def download(self, name: str, target: Path) -> None:
        type(self).downloads += 1
        super().download(name, target)


def test_images_read_last_are_kept_within_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Counted, "downloads", 0)
    images = tmp_path / "images"
    images.mkdir()
    for name in "abc":
        (images / name).write_bytes(name.encode() * 100)
    (tmp_path / "recent").mkdir()
    recent, place = RecentFiles(tmp_path / "recent", most_bytes=250), _Counted(images)
    for name in "abacab":  # c drives b out, and b then c
        with recent.opened(place, name) as path:
            assert path.read_bytes() == name.encode() * 100
    assert _Counted.downloads == 4
    assert sum(path.stat().st_size for path in (tmp_path / "recent").iterdir()) == 200


def test_two_threads_that_are_the_first_at_once_do_not_meet(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
    both = [_recent_files.__wrapped__(1) for _ in range(2)]  # as `cache` lets it happen
    for recent, name in zip(both, "ab", strict=True):
        with recent.opened(LocalFolder(tmp_path), name) as path:
            assert path.read_text() == name


def test_an_image_larger_than_the_bound_is_read_and_dropped(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 100)
    (tmp_path / "recent").mkdir()
    recent = RecentFiles(tmp_path / "recent", most_bytes=50)
    with recent.opened(LocalFolder(tmp_path), "a") as path:
        assert path.read_bytes() == b"a" * 100
    assert list((tmp_path / "recent").iterdir()) == []

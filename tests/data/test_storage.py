"""Files that exist whole or not at all."""

import errno
import shutil
from pathlib import Path

import pytest

from glassline.data.storage import (
    check_apart,
    check_empty,
    content_key,
    folder_hash,
    ready_folder,
    sha256_file,
    written_whole,
)
from glassline.errors import StorageError


def test_written_whole_leaves_the_file_and_nothing_else(tmp_path):
    with written_whole(tmp_path / "new" / "a.txt") as beside:
        beside.write_text("whole")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"


def test_written_whole_shows_nothing_before_the_end(tmp_path):
    with written_whole(tmp_path / "a.txt") as beside:
        beside.write_text("half")
        assert not (tmp_path / "a.txt").exists()


def _stop_halfway(target: Path, error: BaseException) -> None:
    with written_whole(target) as beside:
        beside.write_text("half")
        raise error


def test_written_whole_keeps_the_old_file_when_interrupted(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        _stop_halfway(tmp_path / "a.txt", KeyboardInterrupt())
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_written_whole_replaces_a_folder(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with written_whole(tmp_path / "out") as beside:
        beside.mkdir()
        (beside / "new").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_written_whole_keeps_the_old_folder_when_interrupted(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with pytest.raises(ZeroDivisionError):
        _stop_halfway(tmp_path / "out", ZeroDivisionError())
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == ["out", "out/old"]


def _write_folder(target: Path, name: str) -> None:
    with written_whole(target) as beside:
        beside.mkdir()
        (beside / name).touch()


@pytest.mark.parametrize("old", [True, False])
def test_written_whole_ends_well_when_another_writer_comes_between(tmp_path, monkeypatch, old):
    """The other takes the old folder away or puts its own there, just before each rename of this one."""
    if old:
        _write_folder(tmp_path / "out", "old")
    rename, others = Path.rename, ["two", "one"]

    def met(path: Path, target: Path) -> Path:
        if others:
            name = others.pop()
            _write_folder(tmp_path / "out", name)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", met)
    _write_folder(tmp_path / "out", "ours")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == ["out", "out/ours"]


def test_written_whole_moves_the_old_folder_in_no_time(tmp_path, monkeypatch):
    """Removing its files may take long; meanwhile the new one is there."""
    _write_folder(tmp_path / "out", "old")
    seen, rmtree = [], shutil.rmtree

    def look(folder: Path, **how: bool) -> None:
        seen.extend(path.name for path in (tmp_path / "out").iterdir())
        rmtree(folder, **how)

    monkeypatch.setattr("shutil.rmtree", look)
    _write_folder(tmp_path / "out", "new")
    assert seen == ["new"]


def test_written_whole_puts_the_old_folder_back_when_the_new_one_cannot_be_moved(tmp_path, monkeypatch):
    _write_folder(tmp_path / "out", "old")
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.suffix == ".partial":
            raise OSError(errno.EROFS, "Read-only file system")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match="may be written"):
        _write_folder(tmp_path / "out", "new")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == ["out", "out/old"]


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "needs more space"), (errno.EDQUOT, "needs more space"), (errno.EROFS, "may be written")],
)
def test_written_whole_names_path_and_remedy_when_the_disk_refuses(tmp_path, number, message):
    with pytest.raises(StorageError, match=rf"a\.txt .*{message}.*another --out"):
        _stop_halfway(tmp_path / "a.txt", OSError(number, "refused"))
    assert list(tmp_path.iterdir()) == []


def _write_to_a_full_disk(target: Path) -> None:
    with written_whole(target) as beside:
        beside.symlink_to("/dev/full")
        beside.write_text("too much")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_written_whole_meets_a_disk_that_is_really_full(tmp_path):
    with pytest.raises(StorageError, match="No space left"):
        _write_to_a_full_disk(tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_written_whole_passes_other_errors_on(tmp_path):
    with pytest.raises(FileNotFoundError):
        _stop_halfway(tmp_path / "a.txt", FileNotFoundError())
    assert list(tmp_path.iterdir()) == []


def _write(target: Path) -> None:
    with written_whole(target) as beside:
        beside.write_text("a file")


def test_written_whole_never_puts_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "zone").touch()
    with pytest.raises(StorageError, match="captures must be a file to write, got a folder"):
        _write(tmp_path / "captures")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["captures", "zone"]


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_written_whole_refuses_a_name_that_can_only_be_a_folder(name):
    with pytest.raises(StorageError, match="got a folder"):
        _write(Path(name))


def test_written_whole_refuses_a_name_that_the_disk_does_not_take(tmp_path):
    with pytest.raises(StorageError, match=r"a name that its disk takes.*another --out"):
        _write(tmp_path / ("a" * 300))


def test_check_empty_takes_only_a_missing_or_empty_folder(tmp_path):
    check_empty(tmp_path / "none")
    check_empty(tmp_path)
    (tmp_path / "labels.xml").touch()
    for path in (tmp_path, tmp_path / "labels.xml"):
        with pytest.raises(StorageError, match="missing or empty folder"):
            check_empty(path)


def test_sha256_file_is_the_known_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _tree(root: Path) -> Path:
    (root / "b").mkdir(parents=True)
    (root / "a").write_text("1")
    (root / "b" / "c").write_text("2")
    return root


def test_folder_hash_does_not_depend_on_place_or_hidden_files(tmp_path):
    one, two = _tree(tmp_path / "one"), _tree(tmp_path / "other" / "two")
    (two / ".cache").mkdir()
    (two / ".cache" / "d").write_text("3")
    assert folder_hash(one) == folder_hash(two)


@pytest.mark.parametrize("change", ["content", "name", "more"])
def test_folder_hash_changes_with_any_file(tmp_path, change):
    root = _tree(tmp_path / "one")
    before = folder_hash(root)
    if change == "content":
        (root / "a").write_text("2")
    elif change == "name":
        (root / "a").rename(root / "z")
    else:
        (root / "b" / "d").touch()
    assert folder_hash(root) != before


@pytest.mark.parametrize("make", [True, False])
def test_folder_hash_refuses_a_missing_or_empty_folder(tmp_path, make):
    if make:
        (tmp_path / "none").mkdir()
    with pytest.raises(StorageError, match="none"):
        folder_hash(tmp_path / "none")


def test_written_whole_refuses_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"must be a folder.*another --out"):
        _stop_halfway(tmp_path / "file" / "a.txt", AssertionError("must not come so far"))


def test_ready_folder_names_the_file_that_stands_in_its_place(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file must be a folder"):
        ready_folder(tmp_path / "file")


@pytest.mark.parametrize("inside", ["", "runs", "runs/1"])
def test_check_apart_refuses_to_write_into_the_data(tmp_path, inside):
    with pytest.raises(StorageError, match="outside the data folder"):
        check_apart(tmp_path / inside, tmp_path)


def test_check_apart_takes_a_folder_beside_or_around_the_data(tmp_path):
    check_apart(tmp_path / "data-runs", tmp_path / "data")
    check_apart(tmp_path, tmp_path / "data")


def test_ready_folder_makes_no_folder_of_an_s3_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match=r"folder of this computer.*glassline ingest"):
        ready_folder(Path("s3://bucket/captures"))
    assert list(tmp_path.iterdir()) == []


def test_content_key_tells_contents_apart_and_orders_of_keys_alike():
    assert content_key(["a", {"b": 1, "c": 2}]) == content_key(["a", {"c": 2, "b": 1}])
    assert content_key(["a", {"b": 1}]) != content_key([{"b": 1}, "a"])

"""Patches in shards: read by range, few files open."""

import errno
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from glassline.data import shards
from glassline.data.shards import ShardReader, ShardWriter
from glassline.errors import DataError


@pytest.fixture
def written(tmp_path, monkeypatch) -> np.ndarray:
    """Write 100 shards of 3 patches, the last shorter, to tmp_path; return the patches."""
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 3)
    patches_NHW = np.random.default_rng(0).integers(0, 256, (299, 8, 8), dtype=np.uint8)
    writer = ShardWriter(tmp_path, "patch", 8)
    places = [writer.append(patch_HW) for patch_HW in patches_NHW]
    writer.close()
    assert places[:4] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    return patches_NHW


def test_reader_returns_what_was_written_in_the_order_asked(tmp_path, written):
    order = np.random.default_rng(1).permutation(len(written))
    patches_NHW = ShardReader(tmp_path, "patch").read(order // 3, order % 3)
    np.testing.assert_array_equal(patches_NHW, written[order])
    assert patches_NHW.flags.writeable


def test_reader_fetches_shards_of_any_place(tmp_path, written, place, send, elsewhere):
    send(tmp_path, place)
    reader, order = ShardReader(place, "patch"), np.random.default_rng(1).permutation(30)
    np.testing.assert_array_equal(reader.read(order // 3, order % 3), written[order])
    elsewhere()
    copy = pickle.loads(pickle.dumps(reader))
    np.testing.assert_array_equal(copy.read([9], [2]), written[29:30])


def test_reader_names_a_shard_that_is_in_no_place(place):
    with pytest.raises(DataError, match=rf"{place}/patch-00000\.npy must be a readable shard"):
        ShardReader(place, "patch").read([0], [0])


def test_reader_keeps_few_files_open(tmp_path, written):
    reader = ShardReader(tmp_path, "patch")
    order = np.random.default_rng(2).permutation(len(written))
    reader.read(order // 3, order % 3)
    assert 0 < _open_below(tmp_path) <= 32
    reader.close()
    assert _open_below(tmp_path) == 0


def _open_below(folder):
    """Count the files of a folder that this process holds open."""
    held = [os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir()]
    return sum(Path(path).is_relative_to(folder) for path in held)


def test_reader_maps_nothing(tmp_path, written):
    reader = ShardReader(tmp_path, "patch")
    reader.read([0, 50], [0, 0])
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()


def test_reader_travels_to_a_worker_without_its_files(tmp_path, written):
    reader = ShardReader(tmp_path, "patch")
    reader.read([0], [0])
    copy = pickle.loads(pickle.dumps(reader))
    reader.close()
    np.testing.assert_array_equal(copy.read([99], [1])[0], written[298])


@pytest.mark.parametrize("cut", [1, 64, 150])
def test_reader_refuses_a_truncated_shard(tmp_path, written, cut):
    path = tmp_path / "patch-00007.npy"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"patch-00007\.npy must be .* extract_candidates again"):
        ShardReader(tmp_path, "patch").read([7], [0])


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_reader_refuses_what_is_no_shard(tmp_path, content):
    if content is not None:
        (tmp_path / "patch-00000.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"patch-00000\.npy must be a readable shard"):
        ShardReader(tmp_path, "patch").read([0], [0])


def test_reader_refuses_another_type(tmp_path):
    np.save(tmp_path / "patch-00000.npy", np.zeros((2, 4, 4), np.float32))
    with pytest.raises(DataError, match="uint8"):
        ShardReader(tmp_path, "patch").read([0], [0])


@pytest.mark.parametrize("row", [-1, 2])
def test_reader_refuses_a_row_outside_the_last_shard(tmp_path, written, row):
    with pytest.raises(DataError, match=r"row must be in 0\.\.1 of shard 99"):
        ShardReader(tmp_path, "patch").read([99], [row])


@pytest.mark.parametrize("patch_HW", [np.zeros((8, 9), np.uint8), np.zeros((8, 8), np.float32)])
def test_writer_refuses_another_size_or_type(tmp_path, patch_HW):
    with pytest.raises(DataError, match="a patch must be uint8 of 8 x 8 px"):
        ShardWriter(tmp_path, "patch", 8).append(patch_HW)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_writer_says_that_the_disk_is_full(tmp_path):
    writer = ShardWriter(tmp_path, "patch", 112)
    (tmp_path / "patch-00000.npy").symlink_to("/dev/full")
    writer.append(np.zeros((112, 112), np.uint8))
    with pytest.raises(OSError, match="No space left") as caught:
        writer.close()
    assert caught.value.errno == errno.ENOSPC


def test_shards_are_plain_npy_files(tmp_path, written):
    np.testing.assert_array_equal(np.load(tmp_path / "patch-00099.npy", allow_pickle=False), written[297:])


def test_writer_without_patches_writes_nothing(tmp_path):
    ShardWriter(tmp_path, "patch", 8).close()
    assert list(tmp_path.iterdir()) == []

"""Images, shards, checkpoints and whatever steps keep, on a real S3 server."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glassline.data.importers import read_source, source_hash
from glassline.data.location import open_location
from glassline.data.storage import sha256_file
from glassline.data.store import open_store
from glassline.errors import StorageError
from glassline.training.fitted import Fitted, save_fitted
from glassline.training.loop import fit_model
from glassline.training.settings import TrainingSettings
from glassline.vision.patches import ExtractSettings, extract_patches

_SETTINGS = TrainingSettings.parse({"epochs": 3, "batch_size": 8, "cnn": {"filters": 2, "pool_px": 4}})


class _KilledError(Exception):
    pass


def _fit(data: str, store: str, on_epoch: Callable[..., None] = lambda *told: None) -> tuple[str, Fitted]:
    table = read_source(data, "image-folder", clean_class="plain")
    extract = ExtractSettings.parse({"candidates": {"per_image": 2}})
    patches, _ = extract_patches(table, store, extract, lambda *told: None)
    rows_N = np.arange(len(patches.rows))
    checkpoints = open_store(store).below("checkpoints")
    return patches.content_hash(), fit_model("cnn", patches, rows_N, rows_N[:0], _SETTINGS, 0, checkpoints, on_epoch)


def test_import_patches_and_a_broken_fit_give_what_a_folder_gives(
    bucket: str, tiles: Path, tmp_path: Path, send: Callable[[Path, str], str], elsewhere: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("glassline.training.trainer.SEND_EVERY_S", 0)
    data, seen = send(tiles, f"{bucket}/tiles"), list[int]()

    def die(epoch: int, values: dict[str, float]) -> None:
        if epoch == 1:
            raise _KilledError

    with pytest.raises(_KilledError):
        _fit(data, f"{bucket}/store", die)
    elsewhere()
    expected = _fit(str(tiles), str(tmp_path / "store"))
    content, fitted = _fit(data, f"{bucket}/store", lambda epoch, values: seen.append(epoch))
    assert (content, seen) == (expected[0], [1, 2])
    assert source_hash(data, "image-folder") == source_hash(tiles, "image-folder")
    for name, one in (("a", expected[1]), ("b", fitted)):
        save_fitted(one, tmp_path / name)
    assert len({sha256_file(tmp_path / name / "model.safetensors") for name in "ab"}) == 1
    assert not list(open_location(f"{bucket}/store/checkpoints").entries())


def test_a_folder_whose_sender_was_killed_is_not_there(bucket: str, elsewhere: Callable[[], None]) -> None:
    code = f"""
import os, signal
from glassline.data.location.s3 import S3Prefix
from glassline.data.store import open_store
S3Prefix.write = lambda *told: os.kill(os.getpid(), {int(signal.SIGKILL)})  # the marker, after every file
with open_store("{bucket}/store").keep("bases/k") as beside:
    beside.mkdir()
    (beside / "weights").write_bytes(b"w" * 1000)
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [entry.size_bytes for entry in open_location(f"{bucket}/store").entries()] == [1000]
    assert open_store(f"{bucket}/store").kept("bases/k") is None


def test_wrong_keys_are_told_and_are_no_missing_file(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    for ask in (open_store(f"{bucket}/store").found, open_store(f"{bucket}/store").kept):
        with pytest.raises(StorageError, match="AWS_") as raised:
            ask("patches")
        assert "wrong-secret" not in str(raised.value)

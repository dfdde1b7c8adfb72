"""A disk that fills up while a zone is written. Needs root, for a small disk in memory."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import open_captures
from glassline.errors import StorageError


@pytest.fixture
def small_disk(tmp_path) -> Path:
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _meta(zone: int) -> ZoneMeta:
    return ZoneMeta(
        product="P1", cycle="2026a", glass="G1", kind="clean", zone=zone, stage_x_mm=0, stage_y_mm=0,
        exposure_us=(9.0,), gain_db=0, azimuths_deg=(0.0,), camera_model="C1", camera_serial="7", pattern="mono",
        bit_depth=16, pitch_um=11.4, overlap_px=0, taken_utc="2026-01-02T03:04:05Z",
    )  # fmt: skip


def test_a_disk_that_fills_up_keeps_whole_zones_and_goes_on_once_there_is_room(small_disk):
    captures = open_captures(small_disk / "captures")
    noise_SHW = np.random.default_rng(0).integers(0, 65536, (1, 1100, 1100), np.uint16)
    captures.write(_meta(0), noise_SHW)
    with pytest.raises(StorageError, match=r"clean-01 needs more space than its disk has .*; free some"):
        captures.write(_meta(1), noise_SHW)
    assert [ref.zone for ref in captures.zones()] == [0]
    assert captures.verify(captures.zones()[0]) == []
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    captures.write(_meta(1), noise_SHW)
    assert [captures.verify(ref) for ref in captures.zones()] == [[], []]

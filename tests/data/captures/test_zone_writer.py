"""Whole zones or none: a killed writer, two writers, a disk that refuses."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures import zone_writer
from glassline.data.captures.store import open_captures
from glassline.errors import DataError, StorageError

#: Writes zone 3, tells each file, and waits after a chunk for a line of input, so that it can be killed there.
_SLOW_WRITER = """
import sys, threading
import numpy as np
from glassline.data.captures import zone_writer
from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import open_captures

real = zone_writer._write_file

released = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), released.set()), daemon=True).start()

def slow(path, content):
    real(path, content)
    print(path, flush=True)
    if path.name != "zarr.json":
        released.wait()

zone_writer._write_file = slow
meta = ZoneMeta.model_validate_json(sys.argv[2])
open_captures(sys.argv[1]).write(meta, np.ones((6, 1200, 1200), np.uint16))
"""


@pytest.fixture
def slow_writer(captures, make_meta):
    """Start a process that has written zarr.json and one chunk of zone 3 and goes on."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW_WRITER, captures.location.url, make_meta().model_dump_json()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(2):
        assert process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_killed_writer_leaves_no_zone_and_is_written_over(captures, slow_writer, make_meta, make_frames):
    slow_writer.send_signal(signal.SIGKILL)
    slow_writer.wait()
    group = Path(captures.location.url) / "G0001.zarr"
    assert ".clean-03.partial/zarr.json" in _names(group)
    assert captures.zones() == captures.unfinished() == []
    assert make_meta().ref not in captures
    captures.write(make_meta(), make_frames())
    assert _names(group) == ["clean-03/c/0/0/0", "clean-03/manifest.json", "clean-03/zarr.json", "zarr.json"]
    assert captures.verify(make_meta().ref) == []


def test_a_second_writer_of_the_same_zone_is_refused(captures, slow_writer, make_meta, make_frames):
    with pytest.raises(DataError, match=r"G0001\.zarr/clean-03 must have one writer"):
        captures.write(make_meta(), make_frames())
    slow_writer.communicate("\n")
    assert captures.verify(make_meta().ref) == []
    assert captures.read(make_meta().ref).max() == 1


def test_cameras_write_zones_of_one_glass_at_once(captures, make_meta, make_frames):
    def write(zone: int) -> None:
        captures.write(make_meta(zone=zone), make_frames(zone))

    with ThreadPoolExecutor(4) as cameras:
        list(cameras.map(write, range(12)))
    assert [ref.zone for ref in captures.zones()] == list(range(12))
    for ref in captures.zones():
        np.testing.assert_array_equal(captures.read(ref), make_frames(ref.zone))


def test_a_writer_that_fails_leaves_no_zone(captures, make_meta, make_frames, monkeypatch):
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(zone_writer, "_write_file", refuse)
    with pytest.raises(StorageError, match=r"clean-03 .*Input/output error"):
        captures.write(make_meta(), make_frames())
    assert captures.zones() == []


def test_a_full_disk_is_told(captures, make_meta, make_frames, monkeypatch):
    def fill(path: Path, content: bytes) -> None:
        Path("/dev/full").write_bytes(content)

    monkeypatch.setattr(zone_writer, "_write_file", fill)
    with pytest.raises(StorageError, match=r"clean-03 needs more space than its disk has"):
        captures.write(make_meta(), make_frames())


def test_a_file_in_place_of_the_captures_is_told(tmp_path, make_meta, make_frames):
    (tmp_path / "captures").touch()
    with pytest.raises(StorageError, match="captures"):
        open_captures(tmp_path / "captures").write(make_meta(), make_frames())

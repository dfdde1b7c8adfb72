"""Zones in the capture store."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import zarr

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Window, open_captures
from glassline.errors import DataError


def test_captures_give_back_what_was_written(captures, make_meta, make_frames):
    meta, frames_SHW = make_meta(), make_frames()
    captures.write(meta, frames_SHW)
    assert captures.meta(meta.ref) == meta
    assert captures.shape(meta.ref) == (6, 40, 60)
    np.testing.assert_array_equal(captures.read(meta.ref), frames_SHW)


def test_read_gives_a_window_across_chunks(captures, make_meta, make_frames):
    meta, frames_SHW = make_meta(), make_frames(shape_SHW=(6, 600, 700))
    captures.write(meta, frames_SHW)
    np.testing.assert_array_equal(captures.read(meta.ref, Window(500, 480, 200, 100)), frames_SHW[:, 480:580, 500:700])


def test_any_zarr_reader_reads_a_zone(captures, zone, make_frames):
    group = zarr.open_group(captures.location.url + "/G0001.zarr", mode="r")
    np.testing.assert_array_equal(group["clean-03"][:], make_frames())
    assert group["clean-03"].attrs["glass"] == "G0001"


def test_zones_are_sorted_and_chosen_by_glass_and_kind(captures, make_meta, make_frames):
    for glass, kind, number in (("G2", "clean", 0), ("G1", "marked", 1), ("G1", "clean", 1)):
        captures.write(make_meta(glass=glass, kind=kind, zone=number), make_frames())
    assert captures.zones() == [ZoneRef("G1", "clean", 1), ZoneRef("G1", "marked", 1), ZoneRef("G2", "clean", 0)]
    assert captures.zones("G1") == [ZoneRef("G1", "clean", 1), ZoneRef("G1", "marked", 1)]
    assert captures.zones(kind="marked") == [ZoneRef("G1", "marked", 1)]
    assert captures.zones("G3") == []


def test_a_zone_is_written_once(captures, zone, make_meta, make_frames):
    with pytest.raises(DataError, match=r"G0001\.zarr/clean-03 must be written once"):
        captures.write(make_meta(), make_frames(1))
    np.testing.assert_array_equal(captures.read(zone), make_frames(0))


def test_content_hash_is_that_of_the_zones_wherever_they_lie(captures, zone, make_meta, make_frames):
    before = captures.content_hash()
    captures.write(make_meta(zone=4), make_frames())
    assert captures.content_hash() != before
    assert captures.content_hash([zone]) == before


def test_content_hash_is_the_same_after_a_second_write_elsewhere(captures, zone, tmp_path, make_meta, make_frames):
    other = open_captures(tmp_path / "other")
    other.write(make_meta(), make_frames())
    assert other.content_hash() == captures.content_hash()


@pytest.mark.parametrize(
    "window", [(-1, 0, 2, 2), (0, -1, 2, 2), (59, 0, 2, 2), (0, 39, 2, 2), (0, 0, 0, 2), (0, 0, 2, 0), (5, 5, -1, 2)]
)
def test_read_refuses_a_window_outside_the_zone(captures, zone, window):
    with pytest.raises(DataError, match=r"inside G0001\.zarr/clean-03 of 60 x 40 px"):
        captures.read(zone, Window(*window))


@pytest.mark.parametrize("shape_SHW", [(5, 4, 4), (6, 0, 4), (6, 4)])
def test_write_refuses_frames_of_another_shape(captures, make_meta, shape_SHW):
    with pytest.raises(DataError, match="must be uint16 of 6 light states"):
        captures.write(make_meta(), np.zeros(shape_SHW, np.uint16))


def test_write_refuses_frames_of_another_type(captures, make_meta):
    with pytest.raises(DataError, match="got uint8"):
        captures.write(make_meta(), np.zeros((6, 4, 4), np.uint8))


def test_write_refuses_more_bits_than_stated(captures, make_meta):
    frames_SHW = np.full((6, 4, 4), 4095, np.uint16)
    frames_SHW[5, 3, 2] = 4096
    with pytest.raises(DataError, match=r"must be <= 4095 at 12 bit, got 4096"):
        captures.write(make_meta(), frames_SHW)
    assert captures.zones() == []


@pytest.mark.parametrize("level", [0, 4095])
def test_frames_of_one_level_come_back(captures, make_meta, level):
    frames_SHW = np.full((6, 5, 7), level, np.uint16)
    captures.write(make_meta(), frames_SHW)
    np.testing.assert_array_equal(captures.read(make_meta().ref), frames_SHW)


def test_frames_of_sixteen_bit_and_one_state_come_back(captures, make_meta):
    meta = make_meta(bit_depth=16, azimuths_deg=(0.0,), exposure_us=(5.0,))
    frames_SHW = np.random.default_rng(0).integers(0, 65536, (1, 3, 1), np.uint16)
    captures.write(meta, frames_SHW)
    np.testing.assert_array_equal(captures.read(meta.ref), frames_SHW)


def test_frames_in_any_order_of_memory_come_back(captures, make_meta, make_frames):
    frames_SHW = make_frames().transpose(0, 2, 1)
    captures.write(make_meta(), frames_SHW)
    np.testing.assert_array_equal(captures.read(make_meta().ref), frames_SHW)


def test_every_window_equals_the_slice_of_the_frames(captures, make_meta, make_frames):
    frames_SHW = make_frames(shape_SHW=(6, 530, 1030))
    captures.write(make_meta(), frames_SHW)
    generator = np.random.default_rng(1)
    for _ in range(20):
        x_px, y_px = (int(generator.integers(0, edge)) for edge in (1030, 530))
        width_px, height_px = int(generator.integers(1, 1031 - x_px)), int(generator.integers(1, 531 - y_px))
        expected_SHW = frames_SHW[:, y_px : y_px + height_px, x_px : x_px + width_px]
        found_SHW = captures.read(make_meta().ref, Window(x_px, y_px, width_px, height_px))
        np.testing.assert_array_equal(found_SHW, expected_SHW)


def test_a_window_reads_its_chunks_and_nothing_else(captures, make_meta, make_frames):
    meta = make_meta()
    captures.write(meta, make_frames(shape_SHW=(6, 600, 1100)))
    for chunk in ("0/1", "0/2", "1/0", "1/1", "1/2"):
        (Path(captures.location.url) / meta.ref.path / "c/0" / chunk).unlink()
    assert captures.read(meta.ref, Window(0, 0, 512, 512)).shape == (6, 512, 512)


def test_dark_frames_take_at_most_a_third(captures, make_meta):
    """Noise of a few levels on a mosaic whose colours differ, as a dark field has."""
    generator = np.random.default_rng(0)
    level_HW = np.full((512, 512), 40.0)
    level_HW[::2, 1::2], level_HW[1::2, ::2] = 32, 24
    noise_SHW = generator.normal(size=(6, 512, 512)) * np.sqrt(6 + level_HW / 4)
    frames_SHW = (level_HW + 32 + noise_SHW).round().clip(0, 4095).astype(np.uint16)
    captures.write(make_meta(), frames_SHW)
    stored = sum(entry.size_bytes for entry in captures.location.entries())
    assert stored <= frames_SHW.nbytes / 3


def test_a_zone_that_is_missing_is_named(captures, zone):
    with pytest.raises(DataError, match=r"G0001\.zarr/marked-09 must be a whole zone"):
        captures.shape(ZoneRef("G0001", "marked", 9))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_threads_and_forked_processes_read_at_once(captures, make_meta, make_frames):
    frames_SHW = make_frames(shape_SHW=(6, 600, 700))
    captures.write(make_meta(), frames_SHW)
    read = partial(captures.read, make_meta().ref)
    windows = [Window(x_px, 400, 100, 150) for x_px in range(0, 600, 50)]
    expected = [frames_SHW[:, 400:550, window.x_px : window.x_px + 100] for window in windows]
    with ThreadPoolExecutor(4) as threads:
        in_threads = list(threads.map(read, windows))
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as processes:
        in_processes = list(processes.map(read, windows))
    np.testing.assert_array_equal(in_threads, expected)
    np.testing.assert_array_equal(in_processes, expected)

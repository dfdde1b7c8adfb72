"""Zones in the capture store."""

import numpy as np
import pytest
import zarr

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Window
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

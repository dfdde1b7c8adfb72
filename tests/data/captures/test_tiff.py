"""Zones as TIFF files, and back."""

import numpy as np
import pytest
import tifffile

from glassline.data.captures.rig_folder import import_rig_folder, read_rig_folder
from glassline.data.captures.rig_meta import RigMeta
from glassline.data.captures.store import open_captures
from glassline.data.captures.tiff import export_zone, told_meta
from glassline.errors import DataError


def test_export_writes_one_file_a_light_state(captures, zone, tmp_path, make_frames):
    folder = export_zone(captures, zone, tmp_path / "out")
    assert folder == tmp_path / "out" / "G0001" / "clean-03"
    assert sorted(path.name for path in folder.iterdir()) == [f"{state}.tif" for state in range(6)]
    np.testing.assert_array_equal(tifffile.imread(folder / "4.tif"), make_frames()[4])


def test_export_can_be_mapped_into_memory(captures, zone, tmp_path, make_frames):
    folder = export_zone(captures, zone, tmp_path / "out")
    np.testing.assert_array_equal(tifffile.memmap(folder / "0.tif", mode="r"), make_frames()[0])


def test_import_of_an_export_is_the_same_bit_for_bit(captures, zone, tmp_path, make_meta, make_frames):
    captures.write(
        make_meta(glass="G.2_b", kind="marked", zone=12, taken_utc="2026-01-02T03:04:05.25Z"), make_frames(5)
    )
    for ref in captures.zones():
        export_zone(captures, ref, tmp_path / "out")
    back = open_captures(tmp_path / "back")
    assert import_rig_folder(read_rig_folder(tmp_path / "out", RigMeta()), back) == 2
    assert back.content_hash() == captures.content_hash()


def test_told_meta_is_what_was_exported(captures, zone, tmp_path, make_meta):
    assert told_meta(export_zone(captures, zone, tmp_path) / "3.tif") == make_meta()


def test_told_meta_of_another_programs_file_is_none(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4), np.uint16))
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((4, 4), np.uint16), description='{"shape": [4, 4]}', metadata=None)
    assert told_meta(tmp_path / "a.tif") is None
    assert told_meta(tmp_path / "b.tif") is None
    assert told_meta(tmp_path / "c.png") is None


def test_told_meta_that_was_edited_is_refused(tmp_path):
    told = '{"glassline_zone": {"product": ""}}'
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4), np.uint16), description=told, metadata=None)
    with pytest.raises(DataError, match=r"a\.tif must describe its zone"):
        told_meta(tmp_path / "a.tif")

"""Frames of an existing rig become zones."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from glassline.data.captures.rig_folder import import_rig_folder, read_rig_folder
from glassline.data.captures.rig_meta import RigMeta
from glassline.data.captures.tiff import export_zone
from glassline.errors import DataError, SettingsError, StorageError

META = """
product: P1
cycle: 2026
exposure_us: [900, 900]
gain_db: 0
azimuths_deg: [0, 90]
camera_model: C1
camera_serial: 7
pattern: GRBG
bit_depth: 12
pitch_um: 11.4
overlap_px: 0
stage_y_mm: 0
zones:
  0: {stage_x_mm: 0}
  1: {stage_x_mm: 37.5}
glasses:
  G2: {product: P2}
"""


@pytest.fixture
def told(tmp_path) -> RigMeta:
    (tmp_path / "meta.yaml").write_text(META)
    return RigMeta.read(tmp_path / "meta.yaml")


def _frame(name: str, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(len(name)).integers(0, 256 if dtype == np.uint8 else 4096, (8, 12), dtype)


@pytest.fixture
def rig(tmp_path):
    """Write frames below a folder: rig("G1/clean-0/0.png", ...)."""

    def write(*names: str, dtype: type = np.uint16) -> Path:
        for name in names:
            path = tmp_path / "rig" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), _frame(name, dtype))
            os.utime(path, (1_767_323_045, 1_767_323_045))  # 2026-01-02 03:04:05 UTC
        return tmp_path / "rig"

    return write


def test_tiff_and_png_become_zones(captures, rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png", "G2/marked-01/1.tif", "G2/marked-01/2.TIFF")
    zones = read_rig_folder(folder, told)
    assert import_rig_folder(zones, captures) == 2
    one, two = captures.zones()
    assert (one.path, two.path) == ("G1.zarr/clean-00", "G2.zarr/marked-01")
    np.testing.assert_array_equal(captures.read(one), [_frame("G1/clean-0/0.png"), _frame("G1/clean-0/1.png")])
    meta = captures.meta(two)
    assert (meta.product, meta.cycle, meta.stage_x_mm, meta.taken_utc) == ("P2", "2026", 37.5, "2026-01-02T03:04:05Z")


def test_a_pattern_names_the_files_of_any_rig(captures, rig, told):
    folder = rig("a-b_0_led1.png", "a-b_0_led2.png")
    told.common["kind"] = "marked"
    import_rig_folder(read_rig_folder(folder, told, "{glass}_{zone}_led{state}"), captures)
    assert [ref.path for ref in captures.zones()] == ["a-b.zarr/marked-00"]


def test_an_import_that_was_stopped_goes_on(captures, rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png")
    import_rig_folder(read_rig_folder(folder, told), captures)
    folder = rig("G1/clean-1/0.png", "G1/clean-1/1.png")
    done = []
    assert import_rig_folder(read_rig_folder(folder, told), captures, lambda *at: done.append(at)) == 1
    assert done == [(1, 2), (2, 2)]


def test_another_content_of_a_zone_is_refused(captures, rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png")
    import_rig_folder(read_rig_folder(folder, told), captures)
    cv2.imwrite(str(folder / "G1/clean-0/0.png"), np.zeros((8, 12), np.uint16))
    with pytest.raises(DataError, match=r"G1\.zarr/clean-00 must be new or the same"):
        import_rig_folder(read_rig_folder(folder, told), captures)


def test_a_rig_of_eight_bit_is_taken_as_such(captures, rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png", dtype=np.uint8)
    told.common["bit_depth"] = "8"
    import_rig_folder(read_rig_folder(folder, told), captures)
    assert captures.read(captures.zones()[0]).max() <= 255


def test_a_file_of_eight_bit_is_no_frame_of_twelve(rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png", dtype=np.uint8)
    with pytest.raises(DataError, match=r"clean-0/0\.png: a frame of 12 bit must be in a file of 16"):
        read_rig_folder(folder, told)


def test_a_file_that_the_pattern_does_not_name_is_told(rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png", "G1/preview.png")
    with pytest.raises(DataError, match=r"G1/preview\.png: a file must be named by the pattern"):
        read_rig_folder(folder, told)


def test_a_missing_light_state_is_told(rig, told):
    with pytest.raises(DataError, match=r"G1\.zarr/clean-00: light states .*got \[0, 2\]; add the missing file"):
        read_rig_folder(rig("G1/clean-0/0.png", "G1/clean-0/2.png"), told)


def test_a_light_state_of_two_files_is_told(rig, told):
    with pytest.raises(DataError, match=r"0\.tif: a light state must have one file, got 0\.png too"):
        read_rig_folder(rig("G1/clean-0/0.png", "G1/clean-0/0.tif", "G1/clean-0/1.png"), told)


def test_a_field_that_nobody_tells_is_named(rig, told):
    del told.common["gain_db"]
    with pytest.raises(DataError, match=r"G1\.zarr/clean-00: --meta must tell every field .*gain_db"):
        read_rig_folder(rig("G1/clean-0/0.png", "G1/clean-0/1.png"), told)


def test_frames_of_another_size_are_told(rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png")
    cv2.imwrite(str(folder / "G1/clean-0/1.png"), np.zeros((8, 13), np.uint16))
    with pytest.raises(DataError, match=r"1\.png: frames of a zone must be of one size, got 13 x 8 px beside 12 x 8"):
        read_rig_folder(folder, told)


def test_an_empty_file_is_told(rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png")
    (folder / "G1/clean-0/1.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1\.png must be a whole, readable image, got an empty file"):
        read_rig_folder(folder, told)


def test_a_truncated_file_writes_no_zone(captures, rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png")
    cut = (folder / "G1/clean-0/1.png").read_bytes()[:-60]
    (folder / "G1/clean-0/1.png").write_bytes(cut)
    with pytest.raises(DataError, match=r"1\.png must be a whole, readable image"):
        import_rig_folder(read_rig_folder(folder, told), captures)
    assert captures.zones() == []


def test_colour_is_no_mosaic(captures, rig, told):
    folder = rig("G1/clean-0/0.png", "G1/clean-0/1.png")
    tifffile.imwrite(folder / "G1/clean-0/2.tif", np.zeros((8, 12, 3), np.uint16), photometric="rgb")
    (folder / "G1/clean-0/0.png").unlink()
    with pytest.raises(DataError, match=r"2\.tif must hold one channel"):
        import_rig_folder(read_rig_folder(folder, told), captures)


def test_a_file_of_another_zone_is_told(captures, zone, tmp_path):
    export_zone(captures, zone, tmp_path / "out")
    (tmp_path / "out/G0001/clean-03").rename(tmp_path / "out/G0001/clean-04")
    with pytest.raises(DataError, match=r"one of G0001\.zarr/clean-03; move it back"):
        read_rig_folder(tmp_path / "out", RigMeta())


def test_a_missing_folder_is_told(tmp_path, told):
    with pytest.raises(StorageError, match=r"in an existing folder, got .*none; check the path"):
        read_rig_folder(tmp_path / "none", told)


def test_an_empty_folder_is_told(tmp_path, told):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match=r"must hold .*got none; check --pattern"):
        read_rig_folder(tmp_path / "nothing", told)


@pytest.mark.parametrize("pattern", ["{glass}/{zone}", "{glass}/{zone}/{state}", "{glass}{glass}/{kind}{zone}/{state}"])
def test_a_pattern_that_lacks_a_part_is_told(rig, told, pattern):
    with pytest.raises(SettingsError, match=r"--pattern must have \{glass\}"):
        read_rig_folder(rig("G1/clean-0/0.png"), told, pattern)


@pytest.mark.parametrize("text", ["", "- a", "zones: 3", "zones: {a: {}}", "glasses: {G1: 3}", "a: [", "\0"])
def test_a_meta_file_that_is_none_is_told(tmp_path, text):
    (tmp_path / "meta.yaml").write_text(text)
    with pytest.raises(SettingsError, match="--meta must be a YAML file"):
        RigMeta.read(tmp_path / "meta.yaml")


def test_a_missing_meta_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match="nothing"):
        RigMeta.read(tmp_path / "nothing.yaml")

"""The contact sheet."""

import numpy as np
import pytest
from PIL import Image

from glassline.data.captures.sheet import MOST_ZONES, brightness_window, write_sheet
from glassline.errors import DataError


def test_sheet_shows_a_scratch_of_one_pixel(captures, make_meta, make_frames, tmp_path):
    """In its light state, far brighter than the noise beside it, although a thumbnail is five times smaller."""
    frames_SHW = make_frames(shape_SHW=(6, 1200, 1200))
    frames_SHW[2, 300, 100:1100] = 400
    captures.write(make_meta(), frames_SHW)
    write_sheet(captures, captures.zones(), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        sheet_HW = np.asarray(sheet)
    row = sheet_HW[54 + 60, 150:]
    assert np.median(row[2 * 244 + 30 : 2 * 244 + 210]) > 3 * np.median(row[3 * 244 + 30 : 3 * 244 + 210])


def test_sheet_has_a_row_a_zone_and_a_column_a_light_state(captures, make_meta, make_frames, tmp_path):
    captures.write(make_meta(), make_frames())
    captures.write(make_meta(zone=4, azimuths_deg=(0.0, 90.0), exposure_us=(1.0, 1.0)), make_frames()[:2])
    done = []
    write_sheet(captures, captures.zones(), tmp_path / "new" / "sheet.png", lambda *at: done.append(at))
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        assert sheet.height == 54 + 2 * (40 + 4)
        assert sheet.width >= 150 + 6 * (60 + 4)
    assert done == [(1, 2), (2, 2)]


def test_sheet_of_one_light_state_is_wide_enough_for_its_note(captures, make_meta, make_frames, tmp_path):
    captures.write(make_meta(azimuths_deg=(0.0,), exposure_us=(1.0,)), make_frames()[:1])
    write_sheet(captures, captures.zones(), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        note_HW = np.asarray(sheet)[:28] > 60
    assert note_HW[:, 400:].any()
    assert not note_HW[:, -2:].any()


def test_brightness_window_leaves_noise_dark():
    noise_N = np.random.default_rng(0).normal(60, 4, 100_000).round().astype(np.uint16)
    low, high = brightness_window(noise_N)
    assert 45 < low < 60
    assert 120 < high < 160


def test_brightness_window_of_one_level_is_not_empty():
    assert brightness_window(np.full(10, 7, np.uint16)) == (7, 8)


def test_sheet_refuses_no_zone_and_too_many(captures, zone, tmp_path):
    for refs in ([], [zone] * (MOST_ZONES + 1)):
        with pytest.raises(DataError, match="must have 1 to 60 zones, got"):
            write_sheet(captures, refs, tmp_path / "sheet.png")

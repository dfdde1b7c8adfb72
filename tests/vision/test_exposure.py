"""Zones that show light or nothing are refused."""

import numpy as np
import pytest

from glassline.errors import DataError
from glassline.vision.exposure import check_exposed


def test_a_zone_with_scratches_and_dust_is_exposed(dark_zone, zone_meta):
    check_exposed(dark_zone()[0], zone_meta())


@pytest.mark.parametrize(
    ("level", "match"),
    [(4095, "at most 5% saturated .* got 100% in state 4"), (0, "noise everywhere, got 100% of state 4 without any")],
)
def test_a_zone_with_one_uniform_light_state_is_refused(dark_zone, zone_meta, level, match):
    frames_SHW, _ = dark_zone()
    frames_SHW[4] = level
    with pytest.raises(DataError, match=rf"G0001\.zarr/clean-00 must .*{match}"):
        check_exposed(frames_SHW, zone_meta())


def test_a_zone_that_saturates_in_one_colour_alone_is_refused(dark_zone, zone_meta):
    frames_SHW, _ = dark_zone()
    frames_SHW[0, 0::2, 1::2] = 4095
    with pytest.raises(DataError, match="got 25% in state 0"):
        check_exposed(frames_SHW, zone_meta())


@pytest.mark.parametrize("shape", [(6, 15, 100), (6, 100, 15)])
def test_a_zone_too_small_to_have_noise_is_refused(zone_meta, shape):
    with pytest.raises(DataError, match=r"clean-00 must have 16 px or more both ways, got (15 x 100|100 x 15)"):
        check_exposed(np.full(shape, 100, np.uint16), zone_meta())


@pytest.mark.parametrize("share", [0.2, 0.5, 0.85])
def test_a_frame_that_was_cut_short_is_refused(dark_zone, zone_meta, share):
    frames_SHW, _ = dark_zone(size_px=512)
    frames_SHW[2, : round(share * 512)] = 0
    with pytest.raises(DataError, match=r"got \d+% of state 2 without any: black, cut short"):
        check_exposed(frames_SHW, zone_meta())


def test_a_white_stain_is_a_mark(dark_zone, zone_meta):
    frames_SHW, _ = dark_zone(size_px=512)
    frames_SHW[:, 64:160, 64:160] = 4095
    check_exposed(frames_SHW, zone_meta())

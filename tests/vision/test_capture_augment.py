"""Turned captures: mosaics stay mosaics, lights turn with the glass; noise is seeded and stays in range."""

import numpy as np
import pytest

from glassline.data.captures.zone_format import ZoneFormat
from glassline.vision.capture_augment import SPARE_PX, TURNS, Turn, add_noise, possible_turns, turn_capture

PATTERNS = ("GRBG", "RGGB", "GBRG", "BGGR")
SIX = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0)


def rig(azimuths_deg=SIX, pattern="GRBG"):
    return ZoneFormat(azimuths_deg=azimuths_deg, pattern=pattern, bit_depth=12, pitch_um=10)


@pytest.mark.parametrize("edge_px", [16, 18])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_mosaic_stays_the_same_pattern_after_a_turn(pattern, turn, edge_px):
    level = {"G": 1, "R": 2, "B": 3}
    tile = np.array([level[colour] for colour in pattern], np.uint16).reshape(2, 2)
    frames_SHW = np.tile(tile, (6, edge_px // 2, edge_px // 2))
    laid_SHW, mask_HW = turn_capture(frames_SHW, np.zeros((edge_px, edge_px), bool), turn, rig(pattern=pattern))
    wanted = np.tile(tile, (6, edge_px // 2 - 1, edge_px // 2 - 1))
    np.testing.assert_array_equal(laid_SHW, wanted)
    assert mask_HW.shape == (edge_px - SPARE_PX, edge_px - SPARE_PX)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_mask_turns_with_the_frames(turn):
    rng = np.random.default_rng(0)
    mask_HW = rng.random((20, 20)) < 0.3
    frames_SHW = np.repeat(mask_HW[None].astype(np.uint16), 6, axis=0)
    laid_SHW, laid_HW = turn_capture(frames_SHW, mask_HW, turn, rig())
    np.testing.assert_array_equal(laid_SHW, np.repeat(laid_HW[None], 6, axis=0))


@pytest.mark.parametrize(
    ("turn", "wanted"),
    [(Turn(False, 0), 20), (Turn(False, 1), 110), (Turn(False, 2), 20), (Turn(True, 0), 160), (Turn(True, 1), 70)],
)
def test_azimuth_after_a_turn(turn, wanted):
    assert turn.azimuth(20.0) == pytest.approx(wanted)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_states_are_a_permutation_that_fits_the_azimuths(turn):
    states = turn.states(SIX)
    assert sorted(states) == list(range(6))
    for new, old in enumerate(states):
        assert turn.azimuth(SIX[old]) == pytest.approx(SIX[new])


@pytest.mark.parametrize(
    ("azimuths_deg", "count"),
    [
        ((), 8),  # one grey image
        (SIX, 8),
        ((0.0, 90.0), 8),
        ((0.0, 45.0, 90.0, 135.0), 8),
        ((0.0,), 4),  # halves of a turn and mirrors alone
        ((0.0, 60.0, 120.0), 4),
        ((20.0, 110.0), 4),  # quarters, but no mirror
        ((10.0, 60.0), 2),
    ],
)
def test_lights_that_do_not_map_onto_themselves_allow_only_the_turns_that_do(azimuths_deg, count):
    turns = possible_turns(rig(azimuths_deg))
    assert len(turns) == count
    assert turns[0] == Turn(False, 0)


def test_grey_image_is_laid_without_a_shift_of_its_pattern():
    grey_SHW = np.arange(36, dtype=np.uint16).reshape(1, 6, 6)
    grey = ZoneFormat(azimuths_deg=(), pattern="mono", bit_depth=8, pitch_um=None)
    for turn in possible_turns(grey):
        laid_SHW, _ = turn_capture(grey_SHW, np.zeros((6, 6), bool), turn, grey)
        np.testing.assert_array_equal(laid_SHW, turn.lay(grey_SHW)[:, :4, :4])


def test_turn_that_is_not_possible_is_never_taken():
    with pytest.raises(AssertionError, match="does not map the lights"):
        turn_capture(np.zeros((1, 6, 6), np.uint16), np.zeros((6, 6), bool), Turn(False, 1), rig((0.0,)))


def noisy(seed, bit_depth=12, level=60.0):
    frames_SHW = np.random.default_rng(9).normal(level, 3, (6, 128, 128)).clip(0).astype(np.uint16)
    return frames_SHW, add_noise(frames_SHW, np.random.default_rng(seed), bit_depth)


def test_noise_follows_its_seed():
    np.testing.assert_array_equal(noisy(3)[1], noisy(3)[1])
    assert (noisy(3)[1] != noisy(4)[1]).any()


def test_noise_at_most_about_doubles_the_frames_own_and_strikes_few_pixels():
    for seed in range(8):
        frames_SHW, noisy_SHW = noisy(seed)
        added = noisy_SHW.astype(float) - frames_SHW
        struck = (noisy_SHW == 0) | (noisy_SHW == 4095)
        assert struck.mean() < 1e-4
        assert added[~struck].std() < 3 * 1.1
        assert abs(added[~struck].mean()) < 0.05


@pytest.mark.parametrize(("bit_depth", "level"), [(8, 253.0), (12, 4093.0), (12, 1.0)])
def test_noise_stays_within_the_sensors_levels(bit_depth, level):
    _, noisy_SHW = noisy(0, bit_depth, level)
    assert noisy_SHW.dtype == np.uint16
    assert noisy_SHW.max() <= 2**bit_depth - 1


def test_noise_leaves_black_frames_black_but_for_struck_pixels():
    black_SHW = np.zeros((2, 64, 64), np.uint16)
    assert set(np.unique(add_noise(black_SHW, np.random.default_rng(0), 12))) <= {0, 4095}

"""Zones scored tile by tile."""

import numpy as np
import pytest

from glassline.data.captures.zone_format import ZoneFormat
from glassline.errors import SettingsError
from glassline.vision.network_input import network_input
from glassline.vision.tiles import TileSettings, score_zone

COLOUR = ZoneFormat(azimuths_deg=(0, 90), pattern="GRBG", bit_depth=12, pitch_um=10)
SMALL = TileSettings(tile_px=128, overlap_px=64)


def _marked(height: int, width: int) -> np.ndarray:
    """Return frames with a few soft marks on an even background: every tile sees the noise of the whole."""
    frames_SHW = np.full((2, height, width), 100, np.uint16)
    rng = np.random.default_rng(0)
    for state, y, x in zip(rng.integers(0, 2, 9), rng.integers(0, height, 9), rng.integers(0, width, 9), strict=True):
        frames_SHW[state, max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4] += 200
    return frames_SHW


def _local(block_px: int):
    """Return a network that looks at one block at a time."""

    def run(sigmas_BSHW):
        batch, _, height, width = sigmas_BSHW.shape
        assert height % (32 * block_px) == width % (32 * block_px) == 0
        blocks = sigmas_BSHW.reshape(batch, -1, height // block_px, block_px, width // block_px, block_px)
        return np.asarray(1 / (1 + np.exp(-blocks.mean(axis=(1, 3, 5)) / 100)), np.float32)

    return run


class _Zone:
    """A zone that notes which windows are read of it."""

    def __init__(self, frames_SHW):
        self.frames_SHW, self.windows = frames_SHW, []

    def __call__(self, window):
        self.windows.append(window)
        return self.frames_SHW[:, *window.pixels]


def _score(frames_SHW, tiles=SMALL, block_px=2, of=COLOUR, blind=False, run=None):
    size_px = frames_SHW.shape[1:]
    return score_zone(_Zone(frames_SHW), size_px, of, run or _local(block_px), tiles, block_px, blind, 10)


@pytest.mark.parametrize("size", [(256, 320), (300, 190), (301, 257), (129, 1000), (40, 70), (3, 5)])
@pytest.mark.parametrize("block_px", [1, 2])
def test_tiled_scores_equal_those_of_the_whole_zone(size, block_px):
    frames_SHW = _marked(*size)
    tiled, whole = (_score(frames_SHW, tiles, block_px) for tiles in (SMALL, TileSettings(tile_px=1024)))
    assert tiled.score_hw.shape == tuple(-(-edge // block_px) for edge in size)
    assert np.allclose(tiled.score_hw, whole.score_hw, atol=1e-5)
    assert np.allclose(tiled.strength_hw, whole.strength_hw, rtol=1e-5, atol=1e-4)


def test_seam_between_tiles_that_disagree_is_a_ramp():
    levels = iter([0.0, 1.0])
    run = lambda sigmas_BSHW: np.full((1, 32, 64), next(levels), np.float32)  # noqa: E731
    score_hw = _score(_marked(64, 192), run=run).score_hw
    assert (score_hw[:, :32] == 0).all()
    assert (score_hw[:, 64:] == 1).all()
    assert np.allclose(np.diff(score_hw[0, 32:64]), 1 / 32)


def test_tiles_share_a_zone_evenly_and_none_leaves_it():
    zone = _Zone(_marked(200, 530))
    score_zone(zone, (200, 530), COLOUR, _local(2), SMALL, 2, False, 10)
    begins = sorted({window.x_px for window in zone.windows})
    assert set(np.diff(begins)) == {64}
    assert all(begin % 64 == 0 for begin in begins)
    assert max(window.x_px + window.width_px for window in zone.windows) == 530
    assert max(max(window.width_px, window.height_px) for window in zone.windows) == 128


def test_tiles_are_no_longer_than_they_must_be():
    zone = _Zone(np.full((2, 64, 1088), 100, np.uint16))
    score_zone(zone, (64, 1088), COLOUR, _local(2), TileSettings(), 2, False, 10)
    assert [(window.x_px, window.width_px) for window in zone.windows] == [(0, 640), (448, 640)]


def test_filling_up_keeps_the_mosaics_phase():
    frames_SHW = np.tile(np.array([[100, 300], [500, 700]], np.uint16), (2, 35, 35))
    seen = []
    run = lambda sigmas_BSHW: seen.append(sigmas_BSHW) or np.zeros((1, 64, 64), np.float32)  # noqa: E731
    frames_SHW[:, 40::2, 40::2] += 50  # one colour of one corner
    _score(frames_SHW, TileSettings(tile_px=128), run=run)
    beyond_HW = np.abs(seen[0][0, 0, 70:])
    assert beyond_HW[0::2, 40::2].max() > 10
    assert max(beyond_HW[1::2].max(), beyond_HW[:, 1::2].max()) < 1e-3


def test_strength_is_the_brightest_state_and_pixel_of_each_block():
    frames_SHW = _marked(64, 64)
    sigmas_SHW = network_input(frames_SHW, "GRBG")
    found = _score(frames_SHW).strength_hw
    for row, column in np.ndindex(32, 32):
        block = sigmas_SHW[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert found[row, column] == pytest.approx(max(block.ravel().tolist()))


def test_blended_scores_stay_in_range():
    run = lambda sigmas_BSHW: np.ones((1, *(edge // 2 for edge in sigmas_BSHW.shape[2:])), np.float32)  # noqa: E731
    score_hw = _score(_marked(500, 700), run=run).score_hw
    assert 1 - 1e-6 < score_hw.min() <= score_hw.max() <= 1


def test_direction_blind_network_reads_one_mean():
    run = lambda sigmas_BSHW: np.full((1, 32, 32), sigmas_BSHW.shape[1] / 10, np.float32)  # noqa: E731
    assert (_score(_marked(64, 64), run=run, blind=True).score_hw == np.float32(0.1)).all()


@pytest.mark.parametrize("level", [0, 4095])
def test_black_and_saturated_zones_have_finite_scores(level):
    found = _score(np.full((2, 150, 90), level, np.uint16))
    assert np.isfinite(found.score_hw).all()
    assert np.isfinite(found.strength_hw).all()
    assert np.abs(found.strength_hw).max() < 0.01


def test_overlap_of_more_than_half_a_tile_is_cut_to_half():
    zone = _Zone(np.full((2, 64, 256), 100, np.uint16))
    score_zone(zone, (64, 256), COLOUR, _local(2), TileSettings(tile_px=128, overlap_px=1000), 2, False, 10)
    assert [(window.x_px, window.width_px) for window in zone.windows] == [(0, 128), (64, 128), (128, 128)]


@pytest.mark.parametrize(("tile_px", "rule"), [(200, "multiple of 64, got 200"), (64, "equal to 128, got 64")])
def test_tile_that_no_network_takes_is_refused(tile_px, rule):
    with pytest.raises(SettingsError, match=rule):
        TileSettings.parse({"tile_px": tile_px})

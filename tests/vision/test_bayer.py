"""Grey levels of mosaics and of light states."""

import numpy as np
import pytest

from glassline.errors import DataError
from glassline.vision.bayer import debayer_grey, grey_of_states

PATTERNS = ("GRBG", "RGGB", "GBRG", "BGGR")
WEIGHT = {"R": 0.299, "G": 0.587, "B": 0.114}


def _colour(pattern: str, y: int, x: int) -> str:
    return pattern[(y % 2) * 2 + x % 2]


def _grey_by_loops(mosaic_HW: np.ndarray, pattern: str, y: int, x: int) -> float:
    """Average the nearest samples of each colour in the 3 x 3 neighbourhood, nearest ring first; BT.601."""
    total = 0.0
    for colour, weight in WEIGHT.items():
        if _colour(pattern, y, x) == colour:
            total += weight * float(mosaic_HW[y, x])
            continue
        beside = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        across = [(y - 1, x - 1), (y - 1, x + 1), (y + 1, x - 1), (y + 1, x + 1)]
        nearest = [place for place in beside if _colour(pattern, *place) == colour] or across
        values = [float(mosaic_HW[place]) for place in nearest if _colour(pattern, *place) == colour]
        total += weight * sum(values) / len(values)
    return total


@pytest.mark.parametrize("pattern", PATTERNS)
def test_debayer_is_the_mean_of_the_nearest_samples_of_each_colour(pattern: str) -> None:
    mosaic_HW = np.random.default_rng(0).integers(0, 4096, (8, 10), dtype=np.uint16)
    grey_HW = debayer_grey(mosaic_HW, pattern)
    for y in range(1, 7):
        for x in range(1, 9):
            assert abs(float(grey_HW[y, x]) - _grey_by_loops(mosaic_HW, pattern, y, x)) <= 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_debayer_keeps_an_even_surface_flat_whatever_the_gains_of_the_colours(pattern: str) -> None:
    gains = {"R": 700, "G": 1500, "B": 1100}
    mosaic_HW = np.array([[gains[_colour(pattern, y, x)] for x in range(9)] for y in range(7)], np.uint16)
    assert np.ptp(debayer_grey(mosaic_HW, pattern)) <= 1


def test_debayer_keeps_saturation_and_darkness() -> None:
    for level in (0, 4095):
        assert (debayer_grey(np.full((6, 6), level, np.uint16), "GRBG") == level).all()


def test_debayer_passes_mono_through() -> None:
    frame_HW = np.arange(6, dtype=np.uint16).reshape(2, 3)
    assert debayer_grey(frame_HW, "mono") is frame_HW


def test_debayer_refuses_a_mosaic_without_neighbours() -> None:
    with pytest.raises(DataError, match=r"at least 4 x 4 px, got \(2, 9\)"):
        debayer_grey(np.zeros((2, 9), np.uint16), "GRBG")


def test_grey_of_states_is_the_brightest_state_of_each_pixel() -> None:
    frames_SHW = np.random.default_rng(0).integers(0, 4096, (6, 5, 7), dtype=np.uint16)
    assert (grey_of_states(frames_SHW, "mono") == frames_SHW.max(axis=0)).all()
    assert (grey_of_states(frames_SHW[:1], "mono") == frames_SHW[0]).all()


def test_grey_of_states_debayers_before_it_takes_the_maximum() -> None:
    frames_SHW = np.random.default_rng(1).integers(0, 4096, (3, 8, 8), dtype=np.uint16)
    each_SHW = np.stack([debayer_grey(frame_HW, "RGGB") for frame_HW in frames_SHW])
    assert (grey_of_states(frames_SHW, "RGGB") == each_SHW.max(axis=0)).all()
    assert (grey_of_states(frames_SHW, "RGGB", light_state=1) == each_SHW[1]).all()


def test_grey_of_states_refuses_a_state_that_is_not_there() -> None:
    with pytest.raises(DataError, match="one of the 2 states, 0 to 1, got 6"):
        grey_of_states(np.zeros((2, 4, 4), np.uint16), "mono", light_state=6)

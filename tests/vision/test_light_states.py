"""Strength and modulation of pixels over the light states."""

import numpy as np
import pytest

from glassline.vision.light_states import _median, above_background, respond

AZIMUTHS_DEG = (0, 30, 60, 90, 120, 150)


def _flat(level: float = 100, size_px: int = 128) -> np.ndarray:
    noise = np.random.default_rng(0).normal(level, 4, (6, size_px, size_px))
    return noise.round().astype(np.uint16)


def test_noise_has_a_sigma_of_one():
    sigmas_HW = above_background(_flat()[0], "mono")
    assert 0.85 < sigmas_HW.std() < 1.15  # whole grey levels make a robust sigma coarse
    assert abs(np.median(sigmas_HW)) < 0.1


def test_background_may_differ_from_colour_to_colour_and_from_place_to_place():
    mosaic_HW = _flat(size_px=512)[0].astype(float) * np.tile([[1.0, 0.5], [0.6, 1.0]], (256, 256))
    mosaic_HW += np.linspace(0, 80, 512)  # 20 sigmas from one rim to the other
    # The rim has no neighbour cells.
    inner_HW = above_background(mosaic_HW.round().astype(np.uint16), "GRBG")[:, 192:-192]
    assert np.abs(inner_HW).max() < 8


def test_modulation_is_the_length_of_the_weighted_mean_direction():
    frames_SHW = _flat()
    levels = np.array([50, 300, 900, 200, 60, 40])
    frames_SHW[:, 40:60, 40:60] += levels[:, None, None].astype(np.uint16)
    total = sum(levels)
    mean = (
        sum(level * np.exp(2j * np.deg2rad(azimuth)) for level, azimuth in zip(levels, AZIMUTHS_DEG, strict=True))
        / total
    )
    response = respond(frames_SHW, "mono", AZIMUTHS_DEG)
    assert response.modulation_HW[50, 50] == pytest.approx(abs(mean), abs=0.02)


@pytest.mark.parametrize(("lit", "expected"), [([900] * 6, 0), ([900, 0, 0, 0, 0, 0], 1)])
def test_modulation_tells_even_from_directed(lit, expected):
    frames_SHW = _flat()
    frames_SHW[:, 40:60, 40:60] += np.array(lit, np.uint16)[:, None, None]
    assert respond(frames_SHW, "mono", AZIMUTHS_DEG).modulation_HW[50, 50] == pytest.approx(expected, abs=0.05)


def test_hot_pixel_takes_the_level_of_its_neighbours_and_a_line_of_one_pixel_stays():
    frames_SHW = _flat()
    frames_SHW[:, 20, 20] = 4000
    frames_SHW[2, 60, 30:100] = 400
    strength_HW = respond(frames_SHW, "mono", AZIMUTHS_DEG).strength_HW
    assert strength_HW[20, 20] < 8
    assert (strength_HW[60, 32:98] > 50).all()


@pytest.mark.parametrize("size", [(2, 2), (5, 3), (33, 70)])
def test_small_and_odd_zones_are_measured(size):
    frames_SHW = np.full((6, *size), 100, np.uint16)
    response = respond(frames_SHW, "GRBG", AZIMUTHS_DEG)
    assert response.strength_HW.shape == size
    assert not response.modulation_HW.any()


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (7, 9), (8, 9), (40, 100)])
def test_median_is_numpys_to_the_bit(size):
    rng = np.random.default_rng(size)
    for values_HW in (rng.normal(0, 3, size), rng.integers(0, 4, size), np.full(size, 0.1)):
        values_HW = np.abs(values_HW).astype(np.float32)
        before_HW = values_HW.copy()
        assert _median(values_HW) == float(np.median(values_HW))
        assert (values_HW == before_HW).all()

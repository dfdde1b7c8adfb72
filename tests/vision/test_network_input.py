import numpy as np
import pytest

from glassline.vision.network_input import network_input

PATTERNS = ["mono", "GRBG", "RGGB"]
# Frames are whole levels, and so is the median step that the noise is told from.
ROUNDED = 0.15


def bare(noise_dn=3.0, level=64.0, states=6, edge_px=256, seed=0):
    return np.random.default_rng(seed).normal(level, noise_dn, (states, edge_px, edge_px))


def as_frames(light_SHW):
    return light_SHW.clip(0, 4095).round().astype(np.uint16)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_background_becomes_0_and_its_noise_1(pattern):
    sigmas_SHW = network_input(as_frames(bare()), pattern)
    assert sigmas_SHW.dtype == np.float32
    assert abs(np.median(sigmas_SHW)) < 0.05
    assert sigmas_SHW.std() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(("gain", "offset"), [(2.0, 0.0), (1.0, 500.0), (4.0, 100.0)])
def test_gain_and_black_level_drop_out(gain, offset):
    light_SHW = bare()
    light_SHW[2, 100:104, 100:104] += 60
    one, other = (network_input(as_frames(of), "GRBG") for of in (light_SHW, gain * light_SHW + offset))
    assert np.abs(other - one).mean() < 0.2
    np.testing.assert_allclose(other[2, 100:104, 100:104], one[2, 100:104, 100:104], rtol=ROUNDED)


def test_colours_sensitivities_drop_out():
    light_SHW = bare(noise_dn=10, level=200)
    light_SHW[2, 100:104, 100:104] += 200
    coloured_SHW = light_SHW.copy()
    coloured_SHW[:, 0::2, 1::2] *= 0.6
    coloured_SHW[:, 1::2, 0::2] *= 0.5
    one, other = (network_input(as_frames(of), "GRBG") for of in (light_SHW, coloured_SHW))
    assert np.abs(other - one).mean() < 0.2
    np.testing.assert_allclose(other[2, 100:104, 100:104], one[2, 100:104, 100:104], rtol=ROUNDED)


def test_mosaic_stays_a_mosaic():
    frames_SHW = as_frames(bare())
    frames_SHW[:, 40:60:2, 41:61:2] += 900
    red = network_input(frames_SHW, "GRBG")[0, 40:60, 40:60]
    assert red[0::2, 1::2].min() > 100
    assert np.abs(red[1::2]).max() < 6


def test_uneven_light_is_background():
    light_SHW = bare() + np.linspace(0, 40, 256)[None, None, :]
    sigmas_SHW = network_input(as_frames(light_SHW), "GRBG")
    assert abs(np.median(sigmas_SHW[:, :, 100:150])) < 0.3


@pytest.mark.parametrize("level", [0, 4095])
def test_black_and_saturated_frames_become_0(level):
    frames_SHW = np.full((6, 128, 128), level, np.uint16)
    np.testing.assert_array_equal(network_input(frames_SHW, "GRBG"), 0)


def test_direction_blind_is_the_mean_of_the_states_with_the_noise_of_one():
    frames_SHW = as_frames(bare())
    frames_SHW[1, 90:94, 90:94] += 300
    blind_SHW = network_input(frames_SHW, "GRBG", direction_blind=True)
    wanted_HW = network_input(frames_SHW, "GRBG").sum(axis=0) / np.sqrt(6)
    assert blind_SHW.shape == (1, 256, 256)
    np.testing.assert_allclose(blind_SHW[0], wanted_HW, atol=1e-4)
    assert np.median(np.abs(blind_SHW)) * 1.4826 == pytest.approx(1, rel=0.05)

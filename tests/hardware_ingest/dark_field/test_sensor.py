import numpy as np
import pytest

from hardware_ingest.dark_field.sensor import BLACK_DN, BLUE, RED, WHITE_DN, Sensor
from hardware_ingest.dark_field.settings import Difficulty


def frame(rate, exposure_us=8000, gain_db=0.0, difficulty=None, size=(256, 256), seed=0):
    sensor = Sensor(0, difficulty or Difficulty(hot_per_mpx=0))
    return sensor.read_out(np.full(size, rate, np.float32), exposure_us, gain_db, np.random.default_rng(seed))


def test_sensor_mosaic_is_grbg():
    grey_HW = frame(100.0).astype(float) - BLACK_DN
    green = grey_HW[0::2, 0::2].mean()
    assert grey_HW[0::2, 1::2].mean() / green == pytest.approx(RED, abs=0.01)
    assert grey_HW[1::2, 0::2].mean() / green == pytest.approx(BLUE, abs=0.01)
    assert grey_HW[1::2, 1::2].mean() / green == pytest.approx(1, abs=0.01)


def test_sensor_clips_at_12_bits():
    assert (frame(1e6) == WHITE_DN).all()


def test_sensor_never_goes_below_zero():
    assert frame(0.0, difficulty=Difficulty(hot_per_mpx=0, read_noise_dn=200)).min() == 0


@pytest.mark.parametrize(("exposure_us", "gain_db", "times"), [(16000, 0, 2), (8000, 20, 10), (4000, 6.0206, 1)])
def test_sensor_signal_follows_exposure_and_gain(exposure_us, gain_db, times):
    usual = frame(10.0)[0::2, 0::2].mean() - BLACK_DN
    assert frame(10.0, exposure_us, gain_db)[0::2, 0::2].mean() - BLACK_DN == pytest.approx(times * usual, rel=0.01)


@pytest.mark.parametrize("rate", [0.0, 20.0, 200.0])
def test_sensor_noise_has_the_variance_of_shot_and_read_noise(rate):
    told = Difficulty(hot_per_mpx=0, dn_per_electron=0.3, read_noise_dn=2.0)
    green_HW = frame(rate, difficulty=told)[0::2, 0::2]
    rounding = 1 / 12
    assert green_HW.var() == pytest.approx(0.3 * rate * 8 + 4.0 + rounding, rel=0.05)


def test_sensor_hot_pixels_stay_where_they_are_and_show_in_the_dark():
    hot = Difficulty(hot_per_mpx=500, read_noise_dn=0.5)
    first, second = (frame(0.0, 20_000, difficulty=hot, seed=seed) > BLACK_DN + 30 for seed in (1, 2))
    assert 20 < first.sum() < 60  # 33 expected in 256 x 256
    np.testing.assert_array_equal(first, second)


def test_sensor_takes_odd_sizes():
    assert frame(1.0, size=(67, 33)).shape == (67, 33)

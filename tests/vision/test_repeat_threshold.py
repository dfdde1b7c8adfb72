"""Threshold at a stated rate of false alarms."""

import numpy as np
import pytest

from glassline.vision.repeat_threshold import Tail, fit_tail, square_maxima


def test_threshold_is_where_the_probability_is_the_rate():
    tail = Tail(5.0, 2.5)
    assert tail.probability(tail.threshold(64, 0.001), 64) == pytest.approx(0.001)
    assert tail.threshold(64, 0.01) < tail.threshold(64, 0.001) < tail.threshold(1000, 0.001)
    assert tail.probability(4.9, 64) == 1


@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_maxima_of_gaussian_noise_pass_no_more_often_than_stated(rate):
    generator = np.random.default_rng(0)
    passed = 0
    for _ in range(300):
        maxima_N = np.abs(generator.normal(size=(800, 200))).max(axis=1).astype(np.float32)
        threshold = fit_tail(maxima_N[64:]).threshold(64, rate)
        passed += maxima_N[:64].max() > threshold
    assert passed <= 300 * rate


def test_square_maxima_cover_the_rest_at_the_edges():
    strength_Rhw = np.zeros((2, 70, 130), np.float32)
    strength_Rhw[0, 69, 129], strength_Rhw[1, 3, 64] = 7, 5
    maxima_N = square_maxima(strength_Rhw, 64)
    assert maxima_N.tolist() == [0, 0, 0, 0, 0, 7, 0, 5, 0, 0, 0, 0]

"""Which images show a mark."""

import numpy as np
import pytest

from glassline.vision.mark_presence import find_presence


def _clipped(shows_K, height, seed=0):
    generator = np.random.default_rng(seed)
    template_N = np.where(np.arange(200) % 4 == 0, height, 0)
    here = generator.normal(0, 0.4, (len(shows_K), 200)) + np.outer(shows_K, template_N)
    there = generator.normal(0, 0.4, (len(shows_K), 200))
    return (np.clip(one, -1, 1).astype(np.float32) for one in (here, there))


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
def test_presence_tells_each_image(share):
    shows_K = np.arange(60) < share * 60
    found = find_presence(*_clipped(shows_K, 0.6), np.ones(60, np.bool_))
    np.testing.assert_array_equal(found.shows_K, shows_K)
    assert found.error < 0.01
    assert np.mean(found.score_K[shows_K]) == pytest.approx(1, abs=0.1)


def test_presence_reaches_beyond_the_window():
    shows_K = np.arange(90) >= 35
    window_K = np.arange(90) >= 60
    found = find_presence(*_clipped(shows_K, 0.6), window_K)
    np.testing.assert_array_equal(found.shows_K, shows_K)


def test_presence_says_when_it_can_hardly_tell():
    shows_K = np.arange(60) < 30
    found = find_presence(*_clipped(shows_K, 0.07), np.ones(60, np.bool_))
    assert found.error > 0.05

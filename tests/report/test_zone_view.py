import numpy as np
import pytest
from matplotlib.figure import Figure

from glassline.report.zone_view import draw_zone, grown, outline_in_zone, shaded


def _noise(shape=(64, 64)):
    return np.random.default_rng(0).normal(100, 5, shape).round().astype(np.uint16)


def test_shaded_keeps_noise_dark_and_shows_a_faint_scratch_beside_bright_dust():
    grey_HW = _noise()
    grey_HW[20], grey_HW[50:54, 50:54] = 130, 4000
    shade_HW = shaded(grey_HW)
    assert np.median(shade_HW[:16]) == 0
    assert shade_HW[20].mean() > 0.2
    assert shade_HW[51, 51] == 1


@pytest.mark.parametrize("level", [0, 4095])
def test_shaded_is_black_when_every_pixel_is_the_same(level):
    assert not shaded(np.full((3, 5), level, np.uint16)).any()


def test_zone_is_drawn_small_with_its_brightest_pixels_in_px_of_the_zone():
    shade_HW = np.zeros((1000, 2000), np.float32)
    shade_HW[501, 1001] = 1
    axes = Figure().add_subplot()
    draw_zone(axes, shade_HW)
    drawn = np.asarray(axes.images[0].get_array())
    assert drawn.shape == (334, 667)
    assert drawn.max() == 1
    assert axes.get_xlim() == (-0.5, 1999.5)


def test_outline_in_zone_leaves_the_view_as_it_is():
    axes = Figure().add_subplot()
    draw_zone(axes, np.zeros((100, 300), np.float32))
    mask_HW = np.zeros((100, 300), bool)
    mask_HW[50, :10] = True
    outline_in_zone(axes, mask_HW, "red")
    assert len(axes.collections) == 1
    assert (axes.get_xlim(), axes.get_ylim()) == ((-0.5, 299.5), (99.5, -0.5))


@pytest.mark.parametrize("value", [False, True])
def test_outline_in_zone_draws_nothing_when_the_mask_has_one_value(value):
    axes = Figure().add_subplot()
    outline_in_zone(axes, np.full((9, 9), value), "red")
    assert len(axes.collections) == 0


def test_grown_mask_is_a_disc():
    mask_HW = np.zeros((7, 7), bool)
    mask_HW[3, 3] = True
    assert grown(mask_HW, 1).sum() == 5

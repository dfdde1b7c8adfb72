import numpy as np
import pytest

from hardware_ingest.line_scan.render import render_glass
from hardware_ingest.line_scan.scene import EXPOSURE_US, LineScanScene, LineSceneSettings, line_scan_grid
from hardware_ingest.line_scan.settings import LineScanSettings


def shot(scene, y_mm=0.0, groups=(0, 6), exposure_us=EXPOSURE_US, gain_db=0.0, x_mm=0.0):
    return scene.expose(x_mm, y_mm, groups, exposure_us, gain_db, (750, 400))


def test_line_scene_shows_the_glass_of_the_simulated_data_set():
    grey_HW, spots = render_glass(3, 7, LineScanSettings(), 12)
    scene = LineScanScene(LineSceneSettings(seed=7, glass=3, bit_depth=8))
    seen_HW = shot(scene, y_mm=40.0)
    assert [(spot.x_px, spot.y_px) for spot in scene.spots] == [(spot.x_px, spot.y_px) for spot in spots]
    assert np.abs(seen_HW - (grey_HW[400:800].astype(float) + 2)).mean() < 4


@pytest.mark.parametrize(("bit_depth", "white"), [(8, 255), (12, 4095)])
def test_line_scene_clips_at_its_bit_depth(bit_depth, white):
    assert shot(LineScanScene(LineSceneSettings(bit_depth=bit_depth)), gain_db=40.0).max() == white


def test_line_scene_is_dark_without_light_and_beside_the_glass():
    scene = LineScanScene(LineSceneSettings())
    dark = [shot(scene, groups=()).mean(), shot(scene, x_mm=200.0).mean()]
    assert dark == pytest.approx([32, 32], abs=1)


def test_line_scene_signal_follows_exposure():
    scene = LineScanScene(LineSceneSettings())
    assert shot(scene, exposure_us=50).mean() - 32 == pytest.approx((shot(scene).mean() - 32) / 2, rel=0.01)


def test_line_scene_has_fresh_noise_from_the_seed():
    one, other = LineScanScene(LineSceneSettings()), LineScanScene(LineSceneSettings())
    first = shot(one)
    np.testing.assert_array_equal(first, shot(other))
    assert (first != shot(one)).mean() > 0.5


def test_line_scan_grid_covers_the_view():
    assert line_scan_grid().size_mm == (75.0, 150.0)

"""Histograms of oriented gradients: of any size of patch, and told apart by direction."""

import numpy as np
import pytest

from glassline.vision.gradients import gradient_histograms


@pytest.mark.parametrize("patch_px", [16, 64, 112, 224])
def test_stripes_of_one_direction_lie_nearer_to_each_other_than_to_others(patch_px):
    y_H1, x_1W = np.mgrid[:patch_px, :patch_px]
    rng, period_px = np.random.default_rng(0), patch_px / 5
    waves = [y_H1, y_H1 + period_px / 3, x_1W]
    grey = [127 + 80 * np.sin(2 * np.pi * wave / period_px) + rng.normal(0, 2, wave.shape) for wave in waves]
    rows, shifted, columns = gradient_histograms(np.stack(grey).clip(0, 255).astype(np.uint8))
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows - shifted) < 0.7 * np.linalg.norm(rows - columns)


def test_a_patch_without_any_edge_has_no_gradient():
    assert not gradient_histograms(np.full((1, 112, 112), 90, np.uint8)).any()

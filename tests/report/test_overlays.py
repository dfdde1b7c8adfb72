import io

import numpy as np
import pytest

from glassline.errors import DataError
from glassline.report.overlays import cam_grid, candidates_overlay


def _draw(fig):
    fig.savefig(io.BytesIO(), format="png", dpi=40)
    return fig


def _patches(count):
    patches_BHW = np.full((count, 16, 16), 90, np.uint8)
    masks_BHW = np.zeros((count, 16, 16), bool)
    masks_BHW[:, 4:8, 4:8] = True
    return patches_BHW, np.linspace(0, 1, count * 256, dtype=np.float32).reshape(count, 16, 16), masks_BHW


@pytest.mark.parametrize(("count", "panels"), [(1, 2), (6, 12), (8, 24)])
def test_cam_grid_has_a_patch_above_each_map(count, panels):
    patches_BHW, cams_BHW, masks_BHW = _patches(count)
    fig = _draw(cam_grid(patches_BHW, cams_BHW, masks_BHW, [f"p{index}" for index in range(count)]))
    assert len(fig.axes) == panels + 1  # and the bar of the heat
    assert sum(len(axes.images) for axes in fig.axes) == 3 * count


def test_cam_grid_outlines_the_mask_on_both():
    fig = cam_grid(*_patches(1), ["dent"])
    assert [len(axes.collections) for axes in fig.axes[:2]] == [1, 1]


@pytest.mark.parametrize("value", [False, True])
def test_cam_grid_draws_no_outline_when_the_mask_has_one_value(value):
    patches_BHW, cams_BHW, masks_BHW = _patches(1)
    fig = _draw(cam_grid(patches_BHW, cams_BHW, np.full_like(masks_BHW, value), ["control"]))
    assert [len(axes.collections) for axes in fig.axes[:2]] == [0, 0]


def test_cam_grid_draws_without_masks():
    patches_BHW, cams_BHW, _ = _patches(2)
    _draw(cam_grid(patches_BHW, np.full_like(cams_BHW, np.nan), None, ["a", "b"]))


def test_cam_grid_says_so_when_no_sample_is_there():
    patches_BHW, cams_BHW, _ = _patches(0)
    fig = _draw(cam_grid(patches_BHW, cams_BHW, None, []))
    assert fig.axes[0].texts[0].get_text() == "no sample to show"


def test_cam_grid_refuses_a_missing_title():
    with pytest.raises(DataError, match=r"\[2, 2, 2, 1\]"):
        cam_grid(*_patches(2), ["a"])


def test_candidates_overlay_draws_each_box_in_px_of_the_image():
    fig = _draw(candidates_overlay(np.zeros((900, 3200), np.uint8), [(100, 50, 224, 200), (9, 9, 5, 5)], ["a", "b"]))
    box = fig.axes[0].patches[0]
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (100, 50, 224, 200)
    assert fig.axes[0].get_xlim() == (-0.5, 3199.5)


def test_candidates_overlay_shrinks_a_large_image():
    fig = candidates_overlay(np.zeros((900, 3200), np.uint8), [], [])
    assert fig.axes[0].images[0].get_array().shape == (450, 1600)


def test_candidates_overlay_counts_labels_in_the_legend():
    fig = _draw(candidates_overlay(np.zeros((40, 50), np.uint8), [(0, 0, 5, 5)] * 30, ["dent"] * 29 + ["fold"]))
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["dent (29)", "fold (1)"]
    assert len(fig.axes[0].texts) == 0  # too many to name each


def test_candidates_overlay_says_so_when_none_was_found():
    assert _draw(candidates_overlay(np.zeros((40, 50), np.uint8), [], [])).get_suptitle() == "no candidate found"


def test_candidates_overlay_refuses_a_box_without_label():
    with pytest.raises(DataError, match="got 1 and 0"):
        candidates_overlay(np.zeros((40, 50), np.uint8), [(0, 0, 5, 5)], [])

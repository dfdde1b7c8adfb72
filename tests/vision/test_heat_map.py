"""Heat maps: what is summed, memory of large images, boxes."""

import numpy as np
import pytest

from glassline.data.captures.window import Window
from glassline.errors import ModelError, SettingsError
from glassline.vision.defects import JoinSettings
from glassline.vision.heat_map import HeatMap, HeatSettings, boxes, heat_map

SMALL = HeatSettings(window_px=32, step_px=16, batch=5)


def _of(grey_HW: np.ndarray):
    return lambda window: grey_HW[window.pixels]


def _brightness(patch_BHW: np.ndarray) -> np.ndarray:
    return patch_BHW.mean(axis=(1, 2)) / 255


def _noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)


def _rows(heat: HeatMap, top: int, bottom: int) -> np.ndarray:
    return heat.at(np.arange(top, bottom), np.arange(heat.size_px[1]))


@pytest.mark.parametrize("size_px", [(64, 96), (70, 51), (32, 33), (100, 32)])
def test_heat_is_the_weighted_mean_of_the_windows_over_a_pixel(size_px):
    grey_HW = _noise(*size_px)
    heat = heat_map(_of(grey_HW), size_px, lambda patch_BHW: patch_BHW[:, 5, 9] / 255, SMALL)
    starts = [sorted({*range(0, size - 31, 16), size - 32}) for size in size_px]
    total_HW, weight_HW = np.zeros(size_px), np.zeros(size_px)
    for row, y in enumerate(starts[0]):
        for column, x in enumerate(starts[1]):
            for i, j in np.ndindex(32, 32):
                weight = min(i + 0.5, 31.5 - i) * min(j + 0.5, 31.5 - j)
                total_HW[y + i, x + j] += weight * heat.value_NM[row, column]
                weight_HW[y + i, x + j] += weight
    np.testing.assert_allclose(_rows(heat, 0, size_px[0]), total_HW / weight_HW, atol=1e-6)


def test_bands_have_the_very_numbers_of_the_whole():
    heat = heat_map(_of(_noise(150, 90)), (150, 90), _brightness, SMALL)
    bands = [_rows(heat, top, min(top + 37, 150)) for top in range(0, 150, 37)]
    np.testing.assert_array_equal(np.concatenate(bands), _rows(heat, 0, 150))


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_heat_does_not_depend_on_the_batch(batch):
    grey_HW = _noise(80, 80)
    expected = heat_map(_of(grey_HW), (80, 80), _brightness, SMALL)
    other = heat_map(_of(grey_HW), (80, 80), _brightness, SMALL.model_copy(update={"batch": batch}))
    np.testing.assert_array_equal(other.value_NM, expected.value_NM)


@pytest.mark.parametrize("size_px", [(1, 1), (5, 50), (31, 31), (20, 8)])
def test_an_image_smaller_than_a_window_is_filled_up_by_reflection(size_px):
    seen = []

    def classify(patch_BHW):
        seen.append(patch_BHW)
        return np.full(len(patch_BHW), 0.25)

    heat = heat_map(_of(np.full(size_px, 77, np.uint8)), size_px, classify, SMALL)
    assert (np.concatenate(seen) == 77).all()
    np.testing.assert_allclose(_rows(heat, 0, size_px[0]), np.full(size_px, 0.25), atol=1e-6)


def test_parts_of_a_window_are_told_apart():
    value_Bhh = np.zeros((1, 4, 4))
    value_Bhh[0, 0, 3] = 1.0  # top right
    heat = heat_map(_of(_noise(32, 32)), (32, 32), lambda patch_BHW: value_Bhh, SMALL)
    heat_HW = _rows(heat, 0, 32)
    assert heat_HW[2, 29] == 1
    assert heat_HW[:16, 16:].sum() > 0.99 * heat_HW.sum()
    assert heat_HW[4, 23] == pytest.approx(0.4375 + 0.0, abs=0.1)  # halfway to the next part


def test_even_parts_give_the_heat_of_one_number():
    grey_HW = _noise(70, 51)
    whole = heat_map(_of(grey_HW), (70, 51), _brightness, SMALL)
    parts = heat_map(_of(grey_HW), (70, 51), lambda b: np.tile(_brightness(b)[:, None, None], (1, 3, 3)), SMALL)
    np.testing.assert_allclose(_rows(parts, 0, 70), _rows(whole, 0, 70), atol=1e-6)


def test_a_line_scan_frame_is_read_by_windows_and_worked_out_by_bands():
    asked: list[Window] = []

    def read(window: Window) -> np.ndarray:
        asked.append(window)
        return np.zeros((window.height_px, window.width_px), np.uint8)

    size_px = (8192, 12800)
    heat = heat_map(read, size_px, lambda b: np.full(len(b), 0.5), HeatSettings(window_px=1024, step_px=512))
    assert max(window.width_px * window.height_px for window in asked) == 1024**2
    assert heat.value_NM.shape == (15, 24)
    assert _rows(heat, 8000, 8010).shape == (10, 12800)
    assert heat.cells_RC.shape == (64, 100)


def test_boxes_lie_around_what_is_hot():
    grey_HW = np.zeros((200, 300), np.uint8)
    grey_HW[40:72, 50:82], grey_HW[150:190, 200:240] = 255, 255
    heat = heat_map(_of(grey_HW), (200, 300), _brightness, HeatSettings(window_px=32, step_px=8))
    first, second = sorted(boxes(heat, 0.5, JoinSettings()), key=lambda box: box.bbox_px)
    for box, (x, y, edge) in ((first, (50, 40, 32)), (second, (200, 150, 40))):
        np.testing.assert_allclose(box.bbox_px, (x, y, edge, edge), atol=10)
        assert box.probability_max > box.probability_mean >= 0.5
        assert 0 < box.area_px <= box.bbox_px[2] * box.bbox_px[3]


def test_boxes_stay_within_the_image():
    heat = heat_map(_of(np.full((45, 61), 255, np.uint8)), (45, 61), _brightness, SMALL)
    (box,) = boxes(heat, 0.5, JoinSettings())
    assert (box.bbox_px, box.area_px) == ((0, 0, 61, 45), 61 * 45)


def test_small_boxes_are_dropped_and_near_ones_joined():
    grey_HW = np.zeros((64, 200), np.uint8)
    grey_HW[16:48, 16:48], grey_HW[16:48, 80:112] = 255, 255
    heat = heat_map(_of(grey_HW), (64, 200), _brightness, HeatSettings(window_px=32, step_px=8))
    assert len(boxes(heat, 0.5, JoinSettings())) == 2
    assert len(boxes(heat, 0.5, JoinSettings(join_px=60))) == 1
    assert boxes(heat, 0.5, JoinSettings(least_px=5000)) == []
    assert boxes(heat, 1.5, JoinSettings()) == []


def test_a_classifier_that_tells_no_numbers_is_refused():
    with pytest.raises(ModelError, match="must tell numbers"):
        heat_map(_of(_noise(40, 40)), (40, 40), lambda b: np.full(len(b), np.nan), SMALL)


def test_windows_without_overlap_of_their_neighbours_leave_no_gap():
    with pytest.raises(SettingsError, match="step_px must be <= window_px"):
        HeatSettings.parse({"window_px": 32, "step_px": 33})

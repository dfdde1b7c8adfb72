"""Windows of defects and the vote over them."""

import cv2
import numpy as np
import pytest

from glassline.vision.defects import Defect
from glassline.vision.type_windows import cut_window, type_windows, vote_types, window_corner, window_edge

CLASSES = ("line", "spot", "clean")


def _defect(x=20, y=20, width=8, height=8, cell_px=4):
    mask_rc = np.ones((-(-height // cell_px), -(-width // cell_px)), np.bool_)
    return Defect((x, y, width, height), mask_rc, 5.0, 5.0, 5.0, width * height)


def _windows(image, x, y, width, height, window_px=64):
    return type_windows(image, (x, y, width, height), np.ones((height, width), np.bool_), window_px)


def test_centred_window_holds_the_defect_whatever_its_size_and_place():
    rng = np.random.default_rng(0)
    for _ in range(300):
        width, height, x, y = (int(value) for value in rng.integers((1, 1, 0, 0), 300))
        edge_px = window_edge((x, y, width, height), 64)
        left, top = window_corner((x, y, width, height), edge_px)
        assert left <= x < x + width <= left + edge_px
        assert top <= y < y + height <= top + edge_px
        assert edge_px == 64 or edge_px < 2 * max(width, height)


@pytest.mark.parametrize(("longest", "edge_px"), [(1, 64), (64, 64), (65, 128), (128, 128), (129, 256), (1000, 1024)])
def test_window_doubles_until_the_defect_fits(longest, edge_px):
    assert window_edge((0, 0, 3, longest), 64) == window_edge((0, 0, longest, 3), 64) == edge_px


def test_doubled_window_is_scaled_down_by_area():
    image = np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8)
    window = _windows(image, 60, 70, 70, 40)[0]
    cut = image[26:154, 31:159]
    expected = cut.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    assert window.shape == (64, 64)
    assert np.abs(window - expected).max() <= 0.75


def test_small_defect_has_a_centred_window_and_four_shifted_by_a_quarter():
    image = np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8)
    windows = _windows(image, 98, 98, 4, 4)
    corners = [(68, 68), (52, 68), (84, 68), (68, 52), (68, 84)]
    assert len(windows) == len(corners)
    for window, (top, left) in zip(windows, corners, strict=True):
        assert (window == image[top : top + 64, left : left + 64]).all()


def test_window_that_loses_more_than_half_the_defect_has_no_vote():
    mask_hw = np.zeros((64, 64), np.bool_)
    mask_hw[:4] = mask_hw[20:23] = True  # a window a quarter lower keeps 3 of 7 rows
    image = np.arange(200, dtype=np.uint8)[:, None].repeat(200, 1)
    windows = type_windows(image, (60, 60, 64, 64), mask_hw, 64)
    assert [int(window[0, 0]) for window in windows] == [60, 44, 60, 60]


@pytest.mark.parametrize("shape", [(100, 90), (100, 90, 3), (5, 200), (1, 1), (40, 30)])
@pytest.mark.parametrize("corner_xy", [(-30, -10), (60, 70), (-200, 300), (10, 10)])
def test_windows_are_mirrored_beyond_the_rim_as_often_as_it_takes(shape, corner_xy):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    window, (x, y) = cut_window(image, corner_xy, 64, 64), corner_xy
    for row, column in np.ndindex(64, 64):
        at = [cv2.borderInterpolate(place, size, cv2.BORDER_REFLECT_101)
              for place, size in ((y + row, shape[0]), (x + column, shape[1]))]  # fmt: skip
        assert (window[row, column] == image[*at]).all()


def test_window_of_an_image_smaller_than_it_shows_the_whole_image():
    image = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    window = _windows(image, 0, 0, 30, 20)[0]
    assert window.shape == (64, 64)
    assert (window[22:42, 17:47] == image).all()


def _answering(*rows):
    """Return a classifier that answers one row of probabilities after the other."""
    told = iter(np.asarray(rows, np.float32))
    return lambda windows: np.stack([next(told) for _ in windows])


def test_most_frequent_class_wins_and_tells_its_mean_probability():
    run = _answering([0.9, 0.1, 0], [0.1, 0.6, 0.3], [0.2, 0.5, 0.3], [0.4, 0.6, 0], [0.9, 0.1, 0])
    [(name, probability)] = vote_types(np.zeros((99, 99), np.uint8), [_defect(40, 40)], 4, run, CLASSES, 64)
    assert name == "spot"
    assert probability == pytest.approx((0.1 + 0.6 + 0.5 + 0.6 + 0.1) / 5)


def test_tie_goes_to_the_class_of_higher_mean_probability():
    run = _answering([0.6, 0.4, 0], [0.1, 0.9, 0], [0.6, 0.4, 0], [0.1, 0.9, 0], [0, 0, 1])
    assert vote_types(np.zeros((99, 99), np.uint8), [_defect(40, 40)], 4, run, CLASSES, 64)[0][0] == "spot"


def test_defects_keep_their_own_windows_over_batches():
    image = np.zeros((400, 400), np.uint8)
    image[:, 200:] = 255
    sizes = []

    def run(windows):
        sizes.append(len(windows))
        share_N = windows.mean(axis=(1, 2)) / 255
        return np.stack([1 - share_N, share_N, np.zeros(len(windows))], 1)

    defects = [_defect(8 + 12 * number, 100) for number in range(30)]
    told = vote_types(image, defects, 4, run, CLASSES, 32)
    assert sizes == [64, 64, 22]
    assert [name for name, _ in told] == ["line" if 12 + 12 * number < 200 else "spot" for number in range(30)]


def test_image_without_defects_runs_nothing():
    assert vote_types(np.zeros((9, 9), np.uint8), [], 4, _answering(), CLASSES, 64) == []


def test_colour_windows_keep_their_channels():
    image = np.random.default_rng(0).integers(0, 256, (70, 80, 3), np.uint8)
    assert {window.shape for window in _windows(image, 5, 5, 70, 60)} == {(64, 64, 3)}

"""Severity of large images, tile by tile."""

import threading
import weakref
from itertools import pairwise

import numpy as np
import pytest
import torch

from glassline.deploy.detector_graph import DetectorGraph
from glassline.errors import DataError, SettingsError
from glassline.models.settings import HALO_PX
from glassline.vision.cell_tiles import CellTileSettings, _cuts, score_cells

SMALL = CellTileSettings(tile_cells=64)


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _torch(fitted):
    graph = DetectorGraph(fitted.model).eval()

    def run(images):
        with torch.inference_mode():
            return graph(torch.from_numpy(images)).numpy()

    return run


def _flat(cell_px):
    """Return a detector that tells the mean of each cell."""
    return lambda images: (
        images.reshape(1, images.shape[1] // cell_px, cell_px, -1, cell_px).mean(axis=(2, 4)).astype(np.float32)
    )


class _Image:
    """An image that notes which windows are read of it."""

    def __init__(self, image):
        self.image, self.windows = image, []

    def __call__(self, window):
        self.windows.append(window)
        return self.image[window.pixels]


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    ("cell_px", "size"),
    [
        (4, (300, 530)), (4, (301, 257)), (4, (259, 90)), (4, (40, 70)), (4, (3, 5)), (4, (90, 1)),
        (2, (131, 333)), (2, (127, 60)), (1, (67, 131)), (1, (64, 65)), (1, (1, 70)),
    ],
)  # fmt: skip
def test_tiled_severity_equals_that_of_the_whole_image(random_detector, cell_px, size, colour):
    image, run = _image(*size, *([3] if colour else [])), _torch(random_detector(cell_px, colour))
    tiled_RC = score_cells(lambda window: image[window.pixels], size, cell_px, run, SMALL)
    beyond = ((0, -size[0] % cell_px), (0, -size[1] % cell_px), (0, 0))[: image.ndim]
    whole_RC = run(np.pad(image, beyond, "edge")[None])[0]
    assert tiled_RC.shape == tuple(-(-edge // cell_px) for edge in size)
    assert np.abs(tiled_RC - whole_RC).max() < 1e-4
    assert max(size) < 100 or np.ptp(whole_RC) > 3


@pytest.mark.parametrize("cell_px", [4, 2, 1])
def test_tiles_are_few_and_alike_and_show_the_halo_of_whatever_is_taken(cell_px):
    for cells in (65, 66, 90, 127, 128, 129, 300, 1001):
        edge_px, cuts = _cuts(cells * cell_px - cell_px // 2, cell_px, 64)
        assert edge_px <= 64 * cell_px
        assert cuts[0].begin_px == cuts[0].cells[0] == 0
        assert cuts[-1].begin_px + edge_px == cells * cell_px
        for cut, following in pairwise(cuts):
            assert cut.cells[1] == following.cells[0]
            seam_px = cut.cells[1] * cell_px
            assert following.begin_px % cell_px == 0
            assert seam_px - following.begin_px >= HALO_PX[cell_px]
            assert cut.begin_px + edge_px - seam_px >= HALO_PX[cell_px]


def test_tiles_share_an_image_evenly():
    edge_px, cuts = _cuts(12800, 4, 384)
    assert (edge_px, len(cuts)) == (1536, 9)
    assert {following.begin_px - cut.begin_px for cut, following in pairwise(cuts)} == {1408}


def test_each_window_is_read_once_row_by_row_and_inside_the_image():
    image = _Image(_image(150, 201))
    score_cells(image, (150, 201), 1, _flat(1), SMALL)
    places = [(window.y_px, window.x_px) for window in image.windows]
    assert places == sorted(set(places))
    assert len(places) == len({y for y, _ in places}) * len({x for _, x in places}) > 20
    assert max(window.x_px + window.width_px for window in image.windows) == 201
    assert max(window.y_px + window.height_px for window in image.windows) == 150


def test_image_smaller_than_a_tile_is_read_once():
    image = _Image(_image(150, 201))
    score_cells(image, (150, 201), 4, _flat(4), CellTileSettings())
    assert [(one.x_px, one.y_px, one.width_px, one.height_px) for one in image.windows] == [(0, 0, 201, 150)]


def test_no_more_than_two_tiles_are_alive():
    alive, most = weakref.WeakValueDictionary(), []

    def run(images):
        alive[len(most)] = images.base
        most.append(len(alive))
        return _flat(1)(images)

    image = _image(64, 900)
    score_cells(lambda window: image[window.pixels], (64, 900), 1, run, SMALL)
    assert len(most) > 30
    assert max(most) <= 2


def test_next_tile_is_read_while_one_is_scored():
    image, second = _image(64, 900), threading.Event()
    read = []

    def note(window):
        read.append(window)
        if len(read) == 2:
            second.set()
        return image[window.pixels]

    def run(images):
        assert second.wait(60)
        return _flat(1)(images)

    score_cells(note, (64, 900), 1, run, SMALL)


def test_sizes_that_cells_do_not_divide_repeat_the_last_row_and_column():
    image = _image(6, 9)
    filled = np.pad(image, ((0, 2), (0, 3)), "edge")
    severity_RC = score_cells(lambda window: image[window.pixels], (6, 9), 4, _flat(4), SMALL)
    for row, column in np.ndindex(2, 3):
        cell = filled[4 * row : 4 * row + 4, 4 * column : 4 * column + 4].ravel().tolist()
        assert severity_RC[row, column] == pytest.approx(sum(cell) / 16)


def test_window_that_cannot_be_read_ends_the_scoring():
    def read(window):
        raise DataError("torn.png must be whole")

    with pytest.raises(DataError, match=r"torn\.png must be whole"):
        score_cells(read, (64, 900), 1, _flat(1), SMALL)


@pytest.mark.parametrize("tile_cells", [48, 100])
def test_tile_that_is_too_small_or_slow_is_refused(tile_cells):
    with pytest.raises(SettingsError, match="tile_cells"):
        CellTileSettings.parse({"tile_cells": tile_cells})

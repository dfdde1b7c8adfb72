"""Severity labels, against plain loops."""

import numpy as np
import pytest

from glassline.errors import DataError
from glassline.vision.severity import CUT_LEVELS, LARGEST, label_severity


def _by_loops(grey_HW, mask_HW, cell_px):
    """Recompute the algorithm cell by cell."""
    rows, columns = grey_HW.shape[0] // cell_px, grey_HW.shape[1] // cell_px

    def cell(row, column):
        here = np.s_[row * cell_px : (row + 1) * cell_px, column * cell_px : (column + 1) * cell_px]
        return int(grey_HW[here].min()), int(grey_HW[here].max()), mask_HW[here].mean()

    def score(defect, clean):
        near = min(abs(defect[0] - clean[0]), abs(defect[1] - clean[1]))
        return near + abs(defect[1] - clean[0])

    told = [[cell(row, column) for column in range(columns)] for row in range(rows)]
    clean = [one for row in told for one in row if one[2] == 0]
    typical = tuple(np.median([one[part] for one in clean]) for part in (0, 1))
    severity_RC = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            if told[row][column][2] < 0.5:
                continue
            left = [one for one in told[row][:column] if one[2] == 0][-1:]
            right = [one for one in told[row][column + 1 :] if one[2] == 0][:1]
            scores = [score(told[row][column], one) for one in left + right or [typical]]
            severity_RC[row, column] = min(np.mean(scores), CUT_LEVELS) * LARGEST / CUT_LEVELS
    return severity_RC


@pytest.mark.parametrize("cell_px", [1, 2, 4])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_label_severity_equals_plain_loops(cell_px, share):
    rng = np.random.default_rng(cell_px)
    for _ in range(5):
        grey_HW = rng.integers(0, 256, (32, 40), dtype=np.uint8)
        mask_HW = rng.random((32 // cell_px, 40 // cell_px)) < share
        mask_HW = np.kron(mask_HW, np.ones((cell_px, cell_px), bool)) & (rng.random((32, 40)) < 0.7)
        mask_HW[0, 0], mask_HW[-4:, -4:] = True, False
        found = label_severity(grey_HW, mask_HW, cell_px)
        np.testing.assert_allclose(found.severity_RC, _by_loops(grey_HW, mask_HW, cell_px), rtol=1e-6)


def _dark_spot(shape=(32, 32), level=200, depth=80):
    grey_HW, mask_HW = np.full(shape, level, np.uint8), np.zeros(shape, bool)
    mask_HW[8:16, 8:16] = True
    grey_HW[mask_HW] -= depth
    return grey_HW, mask_HW


def test_label_severity_rises_with_contrast():
    means = [label_severity(*_dark_spot(depth=depth), 4).severity_RC[2:4, 2:4].mean() for depth in (20, 60, 120)]
    # d0 and d1 of an even spot are both its depth.
    np.testing.assert_allclose(means, [2 * depth * LARGEST / CUT_LEVELS for depth in (20, 60, 120)], rtol=1e-6)


def test_label_severity_is_cut_at_the_largest():
    grey_HW, mask_HW = _dark_spot(level=0, depth=0)
    grey_HW[8:16, 8:16] = 255
    assert label_severity(grey_HW, mask_HW, 4).severity_RC.max() == pytest.approx(LARGEST)


def test_label_severity_names_rows_without_a_clean_cell_on_a_side():
    grey_HW, mask_HW = _dark_spot()
    mask_HW[8:12, :8] = True
    mask_HW[16:20] = True
    found = label_severity(grey_HW, mask_HW, 4)
    assert (found.one_sided, found.degenerate) == ((2,), (4,))


def test_label_severity_passes_over_cells_that_are_masked_by_less_than_half():
    grey_HW, mask_HW = _dark_spot()
    mask_HW[8:16, 16] = True
    grey_HW[8:16, 16:20] = 0  # neither defect nor reference
    found = label_severity(grey_HW, mask_HW, 4)
    assert not found.defect_RC[2, 4]
    assert found.severity_RC[2, 2] == pytest.approx(160 * LARGEST / CUT_LEVELS)


def test_label_severity_fills_up_sizes_that_cells_do_not_divide():
    grey_HW, mask_HW = _dark_spot((33, 30))
    assert label_severity(grey_HW, mask_HW, 4).severity_RC.shape == (9, 8)


def test_label_severity_of_a_constant_image_is_zero():
    grey_HW, mask_HW = _dark_spot(depth=0)
    found = label_severity(grey_HW, mask_HW, 4)
    assert found.defect_RC.any()
    assert not found.severity_RC.any()


@pytest.mark.parametrize(
    ("grey", "mask", "message"),
    [
        (np.zeros((8, 8), np.uint8), np.ones((8, 12), bool), "of one size"),
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8), bool), "got an empty one"),
        (np.zeros((8, 8), np.uint8), np.ones((8, 8), bool), "covers the image"),
        (np.zeros((8, 8), np.uint16), np.ones((8, 8), bool), "8-bit grey"),
        (np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), bool), "8-bit grey"),
    ],
)
def test_label_severity_refuses(grey, mask, message):
    with pytest.raises(DataError, match=message):
        label_severity(grey, mask, 4)

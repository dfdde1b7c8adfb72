"""`glassline severity`."""

import cv2
import numpy as np
import pytest

from glassline.errors import DataError, SettingsError
from glassline.vision.severity import label_severity
from glassline_cli.app import app
from tests.cli.invoke import invoke


@pytest.fixture
def files(tmp_path):
    grey_HW, mask_HW = np.full((40, 48), 100, np.uint8), np.zeros((40, 48), np.uint8)
    grey_HW[8:16, 8:24], mask_HW[8:16, 8:24] = 180, 255
    cv2.imwrite(str(tmp_path / "a.png"), grey_HW)
    cv2.imwrite(str(tmp_path / "mask.png"), mask_HW)
    return tmp_path, grey_HW, mask_HW > 0


def _run(folder, *options):
    arguments = [str(folder / "a.png"), "--mask", str(folder / "mask.png"), "--out", str(folder / "a.npy"), *options]
    return invoke(app, "severity", *arguments)


def test_severity_prints_and_writes_the_map(files):
    folder, grey_HW, mask_HW = files
    result = _run(folder)
    assert result.exit_code == 0
    assert "10 x 12 cells, 8 of them defective; severity mean 3.84, highest 3.84" in result.output
    written = np.load(folder / "a.npy", allow_pickle=False)
    np.testing.assert_array_equal(written, label_severity(grey_HW, mask_HW, 4).severity_RC)


def test_severity_names_a_mask_of_another_size(files):
    folder, *_ = files
    cv2.imwrite(str(folder / "mask.png"), np.zeros((40, 44), np.uint8))
    result = _run(folder)
    assert isinstance(result.exception, DataError)
    assert "48 x 40 px, got 44 x 40 px" in str(result.exception)
    assert not (folder / "a.npy").exists()


def test_severity_names_an_empty_mask(files):
    folder, *_ = files
    cv2.imwrite(str(folder / "mask.png"), np.zeros((40, 48), np.uint8))
    assert "must mark a defect" in str(_run(folder).exception)


def test_severity_asks_for_a_window_of_more_than_eight_bit(files):
    folder, grey_HW, _ = files
    cv2.imwrite(str(folder / "a.png"), grey_HW.astype(np.uint16) * 16)
    assert "depth_window" in str(_run(folder).exception)
    assert _run(folder, "--depth-window", "0", "4080").exit_code == 0


@pytest.mark.parametrize("cell_px", ["3", "0"])
def test_severity_refuses_other_cells(files, cell_px):
    assert isinstance(_run(files[0], "--cell-px", cell_px).exception, SettingsError)

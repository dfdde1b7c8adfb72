"""Images of a view, decoded once and read by rows."""

import cv2
import numpy as np
import pytest
import tifffile

from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.view_spool import view_of_files


def _pixels(dtype=np.uint8, size=(20, 30)):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (3, *size)).astype(dtype)


@pytest.mark.parametrize("suffix", ["png", "tif", "npy", "bmp"])
def test_rows_are_those_of_the_file(tmp_path, suffix):
    pixels_KHW, paths = _pixels(), [tmp_path / f"{number}.{suffix}" for number in range(3)]
    for path, grey_HW in zip(paths, pixels_KHW, strict=True):
        if suffix == "npy":
            np.save(path, grey_HW)
        elif suffix == "tif":
            tifffile.imwrite(path, grey_HW)
        else:
            cv2.imwrite(str(path), grey_HW)
    with view_of_files("view", [path.name for path in paths], open_store(tmp_path)) as view:
        view.load()
        assert view.size_px == (20, 30)
        np.testing.assert_array_equal(view.rows(1, 5, 9), pixels_KHW[1, 5:9])
        np.testing.assert_array_equal(view.rows(2, 0, 20), pixels_KHW[2])


@pytest.mark.parametrize("suffix", ["png", "npy"])
def test_sixteen_bit_keep_their_levels(tmp_path, suffix):
    pixels_KHW, paths = _pixels(np.uint16), [tmp_path / f"{number}.{suffix}" for number in range(3)]
    for path, grey_HW in zip(paths, pixels_KHW, strict=True):
        np.save(path, grey_HW) if suffix == "npy" else cv2.imwrite(str(path), grey_HW)
    with view_of_files("view", [path.name for path in paths], open_store(tmp_path)) as view:
        view.load()
        assert view.highest == pixels_KHW.max()
        np.testing.assert_array_equal(view.rows(2, 3, 7), pixels_KHW[2, 3:7])


def test_colour_becomes_grey_beside_grey_images(tmp_path):
    grey_HW = np.full((8, 9), 77, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), grey_HW)
    cv2.imwrite(str(tmp_path / "b.png"), cv2.merge([grey_HW] * 3))
    with view_of_files("view", ["a.png", "b.png"], open_store(tmp_path)) as view:
        view.load()
        np.testing.assert_array_equal(view.rows(1, 0, 8), grey_HW)


def test_an_image_of_another_size_is_named_with_both_sizes(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), _pixels()[0])
    cv2.imwrite(str(tmp_path / "b.png"), _pixels(size=(20, 31))[0])
    told = r"30 x 20 px of 8 bit as a.png, got 31 x 20 px of 8 bit of b.png"
    with view_of_files("view", ["a.png", "b.png"], open_store(tmp_path)) as view, pytest.raises(DataError, match=told):
        view.load()


@pytest.mark.parametrize("suffix", ["png", "tif", "npy"])
def test_an_unreadable_image_is_named(tmp_path, suffix):
    cv2.imwrite(str(tmp_path / "a.png"), _pixels()[0])
    (tmp_path / f"b.{suffix}").write_bytes(b"no image")
    files = ["a.png", f"b.{suffix}"]
    with view_of_files("view", files, open_store(tmp_path)) as view, pytest.raises(DataError, match=files[1]):
        view.load()

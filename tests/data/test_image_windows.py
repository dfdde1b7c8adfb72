"""Windows of image files: mapped from the disk or decoded, of the same pixels."""

import cv2
import numpy as np
import pytest
import tifffile

from glassline.data.captures.window import Window
from glassline.data.image_windows import _mapped_tiff, open_image
from glassline.data.images import read_colour, read_grey
from glassline.errors import DataError

PLACE = Window(3, 5, 20, 10)


def _pixels(*shape: int, dtype=np.uint8, most: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(0, most, shape).astype(dtype)


@pytest.fixture
def written(tmp_path):
    """Write an image: written("a.tif", pixels)."""

    def write(name, pixels, **more):
        path = tmp_path / name
        if path.suffix == ".npy":
            np.save(path, pixels)
        elif path.suffix == ".tif":
            tifffile.imwrite(path, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack", **more)
        else:
            assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "shape", "more"),
    [
        ("a.png", (40, 50), {}), ("a.png", (40, 50, 3), {}), ("a.tif", (40, 50), {}), ("a.tif", (40, 50, 3), {}),
        ("a.tif", (40, 50, 3), {"byteorder": ">"}), ("a.tif", (40, 50), {"compression": "zlib"}),
        ("a.tif", (40, 50, 3), {"planarconfig": "separate"}), ("a.tif", (64, 64), {"tile": (32, 32)}),
        ("a.tif", (40, 50), {"rowsperstrip": 7}),
    ],
)  # fmt: skip
def test_windows_are_those_of_the_whole_image(written, name, shape, more):
    path = written(name, _pixels(*(shape[::-1] if more.get("planarconfig") else shape)), **more)
    grey, grey_HW = open_image(path, False, None), read_grey(path)
    assert grey.size_px == grey_HW.shape
    assert (grey.read(PLACE) == grey_HW[PLACE.pixels]).all()
    assert (grey.whole() == grey_HW).all()
    if len(shape) == 3:
        assert (open_image(path, True, None).read(PLACE) == read_colour(path)[PLACE.pixels]).all()


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
@pytest.mark.parametrize("more", [{}, {"byteorder": ">"}, {"compression": "zlib"}])
def test_more_than_8_bit_goes_through_the_depth_window(written, shape, more):
    path = written("a.tif", _pixels(*shape, dtype=np.uint16, most=4096), **more)
    assert (open_image(path, False, (0, 4095)).read(PLACE) == read_grey(path, (0, 4095))[PLACE.pixels]).all()
    if len(shape) == 3:
        assert (open_image(path, True, (0, 4095)).read(PLACE) == read_colour(path, (0, 4095))[PLACE.pixels]).all()


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_array_files_hold_red_green_and_blue(written, shape):
    pixels = _pixels(*shape)
    path, same = written("a.npy", pixels), written("a.png", pixels)
    assert (open_image(path, False, None).whole() == read_grey(same)).all()
    if len(shape) == 3:
        assert (open_image(path, True, None).whole() == pixels).all()


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
def test_file_that_is_mapped_is_not_read_whole(written, name):
    opened = open_image(written(name, _pixels(40, 50)), False, None)
    assert opened.whole().base is not None
    assert not opened.whole().flags.writeable


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_more_than_8_bit_without_a_depth_window_is_refused(written, name):
    path = written(name, _pixels(40, 50, dtype=np.uint16, most=4096))
    with pytest.raises(DataError, match=r"more than 8 bit .* train with depth_window"):
        open_image(path, False, None)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_grey_image_is_refused_where_colour_is_looked_at(written, name):
    with pytest.raises(DataError, match="must be in colour, which is looked at, got a grey image"):
        open_image(written(name, _pixels(40, 50)), True, None)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy"])
def test_damaged_or_missing_image_is_refused(written, tmp_path, name):
    with pytest.raises(DataError, match="missing-a"):
        open_image(tmp_path / f"missing-{name}", False, None)
    path = written(name, _pixels(40, 50))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match=name):
        open_image(path, False, None)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=name):
        open_image(path, False, None)


@pytest.mark.parametrize("pixels", [np.zeros((0, 4), np.uint8), np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8)])
def test_array_file_of_something_else_is_refused(written, pixels):
    with pytest.raises(DataError, match=r"a\.npy must"):
        open_image(written("a.npy", pixels), False, None)


def test_array_file_with_objects_is_refused(written):
    with pytest.raises(DataError, match=r"a\.npy must be a whole \.npy array"):
        open_image(written("a.npy", np.array([{}])), False, None)


def test_png_under_the_name_of_a_tiff_is_read(written, tmp_path):
    path = written("a.png", _pixels(40, 50)).rename(tmp_path / "b.tif")
    assert _mapped_tiff(path) is None
    assert open_image(path, False, None).size_px == (40, 50)

"""Reading images: whole or not at all."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile

from glassline.data.images import MAX_PIXELS, image_header, read_grey, read_mask
from glassline.errors import DataError

PIXELS_HW = np.random.default_rng(0).integers(0, 256, (30, 41), dtype=np.uint8)
LOSSLESS = ["a.png", "a.bmp", "a.tif"]


@pytest.mark.parametrize("name", LOSSLESS)
def test_read_grey_returns_the_pixels(write_image, name):
    grey_HW = read_grey(write_image(name, pixels=PIXELS_HW))
    assert grey_HW.dtype == np.uint8
    np.testing.assert_array_equal(grey_HW, PIXELS_HW)


@pytest.mark.parametrize("name", LOSSLESS)
def test_read_grey_weighs_colour_as_bt601(write_image, name):
    colour_HWC = np.random.default_rng(1).integers(0, 256, (5, 6, 3), dtype=np.uint8)  # blue, green, red
    grey_HW = read_grey(write_image(name, pixels=colour_HWC))
    for y in range(5):
        for x in range(6):
            blue, green, red = (int(value) for value in colour_HWC[y, x])
            assert abs(int(grey_HW[y, x]) - (0.299 * red + 0.587 * green + 0.114 * blue)) <= 1


def test_read_grey_ignores_transparency(write_image):
    pixels_HWC = np.dstack([PIXELS_HW, PIXELS_HW, PIXELS_HW, np.zeros_like(PIXELS_HW)])
    np.testing.assert_array_equal(read_grey(write_image("a.png", pixels=pixels_HWC)), PIXELS_HW)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_read_grey_maps_16_bit_through_the_window(write_image, name):
    levels_HW = np.array([[0, 100, 101], [150, 200, 60000]], np.uint16)
    grey_HW = read_grey(write_image(name, pixels=levels_HW), depth_window=(100, 200))
    np.testing.assert_array_equal(grey_HW, [[0, 0, 3], [128, 255, 255]])


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_read_grey_refuses_16_bit_without_window(write_image, name):
    path = write_image(name, pixels=np.full((4, 4), 3000, np.uint16))
    with pytest.raises(DataError, match=rf"{name} has more than 8 bit.*set depth_window"):
        read_grey(path)


def test_read_grey_keeps_8_bit_when_a_window_is_stated(write_image):
    np.testing.assert_array_equal(read_grey(write_image("a.png", pixels=PIXELS_HW), (0, 4095)), PIXELS_HW)


def test_read_grey_reads_packed_12_bit_from_the_bottom(tmp_path):
    (tmp_path / "a.tif").write_bytes(_packed_12_bit([0, 1, 100, 4095, 2000, 7, 8, 9]))
    assert image_header(tmp_path / "a.tif") == (4, 2, 12)
    grey_HW = read_grey(tmp_path / "a.tif", (0, 255))
    np.testing.assert_array_equal(grey_HW, [[0, 1, 100, 255], [255, 7, 8, 9]])


@pytest.mark.parametrize("window", [(10, 10), (20, 10), (-1, 10), (0, 70000)])
def test_read_grey_refuses_a_window_without_width(write_image, window):
    with pytest.raises(DataError, match="depth_window must be"):
        read_grey(write_image("a.png"), window)


@pytest.mark.parametrize("name", ["a.jpg", *LOSSLESS])
def test_read_grey_never_fills_a_truncated_file(write_image, name):
    path = write_image(name, pixels=PIXELS_HW)
    content, whole_HW = path.read_bytes(), read_grey(path)
    for length in range(0, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:length])
        try:
            grey_HW = read_grey(path)
        except DataError:
            continue
        assert length > 0.9 * len(content)  # only padding or a check sum is gone
        np.testing.assert_array_equal(grey_HW, whole_HW)


def test_a_truncated_tiff_says_so_in_its_error_alone(tmp_path, capfd):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((64, 64), np.uint16))
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:5000])
    with pytest.raises(DataError, match="whole, readable image"):
        read_grey(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("cut", [1, 2, 20, 500])
def test_read_grey_refuses_a_jpeg_without_its_end(write_image, cut):
    path = write_image("a.jpg", pixels=PIXELS_HW)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"a\.jpg must be a whole, readable image.*again"):
        read_grey(path)


@pytest.mark.parametrize("content", [b"", b"\0", b"no image", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0"])
@pytest.mark.parametrize("read", [read_grey, image_header])
def test_reading_refuses_what_is_no_image(tmp_path, read, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png must"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("at", ["PIL.Image.open", "PIL.Image.Image.convert"])
def test_little_memory_is_not_held_against_the_file(write_image, monkeypatch, at):
    def no_memory(*more, **given):
        raise MemoryError

    path = write_image("a.png")
    monkeypatch.setattr(at, no_memory)
    with pytest.raises(MemoryError):
        read_grey(path)


def test_read_grey_refuses_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"none\.png"):
        read_grey(tmp_path / "none.png")


def test_read_grey_refuses_several_pages(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 20, 20), np.uint8), photometric="minisblack")
    with pytest.raises(DataError, match="one page, got 3"):
        read_grey(tmp_path / "a.tif")


def test_read_grey_refuses_floats(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 20), np.float32))
    with pytest.raises(DataError, match="whole numbers of at most 16 bit, got float32"):
        read_grey(tmp_path / "a.tif")


@pytest.mark.parametrize(("width", "height"), [(MAX_PIXELS, 2), (2**15, 2**14 + 1), (0, 5), (5, 0)])
def test_image_header_refuses_bombs_and_nothing(tmp_path, width, height):
    (tmp_path / "a.png").write_bytes(_png_header(width, height))
    with pytest.raises(DataError, match=r"a\.png must"):
        image_header(tmp_path / "a.png")


def test_image_header_accepts_a_line_scan_frame(tmp_path):
    (tmp_path / "a.png").write_bytes(_png_header(12800, 8192))
    assert image_header(tmp_path / "a.png") == (12800, 8192, 8)


@pytest.mark.parametrize("name", ["a.jpg", *LOSSLESS])
def test_image_header_gives_width_first(write_image, name):
    assert image_header(write_image(name, pixels=PIXELS_HW)) == (41, 30, 8)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_image_header_tells_the_depth_of_16_bit_colour(write_image, name):
    assert image_header(write_image(name, pixels=np.zeros((3, 4, 3), np.uint16))) == (4, 3, 16)


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("value", [1, 255])
def test_read_mask_is_true_off_zero(write_image, name, value):
    mask_HW = PIXELS_HW > 128
    path = write_image(name, pixels=mask_HW.astype(np.uint8) * value)
    np.testing.assert_array_equal(read_mask(path, (30, 41)), mask_HW)


def test_read_mask_ignores_the_rings_of_jpeg(tmp_path):
    mask_HW = np.zeros((32, 32), np.uint8)
    mask_HW[9:23, 9:23] = 255
    cv2.imwrite(str(tmp_path / "a.jpg"), mask_HW)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.jpg", (32, 32)), mask_HW > 0)


def test_read_mask_refuses_another_size(write_image):
    with pytest.raises(DataError, match="41 x 31 px, got 41 x 30 px"):
        read_mask(write_image("a.png", pixels=PIXELS_HW), (31, 41))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + _chunk(b"IEND", b"")
    )


def _packed_12_bit(levels: list[int]) -> bytes:
    data = int("".join(f"{level:012b}" for level in levels), 2).to_bytes(12, "big")
    tags = [
        (256, 3, 4),
        (257, 3, 2),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, 2),
        (279, 4, 12),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 20) + data + struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)

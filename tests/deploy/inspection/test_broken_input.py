"""Whatever is given, each bad image is named and all good ones are judged."""

import os
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from glassline.analysis.unknown import UNKNOWN
from tests.deploy.bundles import classifier_bundle

NOISE = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)


def _png_that_claims(width, height):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def _write(folder, kind):
    """Write a bad image and return it."""
    path = folder / f"{kind}.png"
    whole = cv2.imencode(".png", NOISE)[1].tobytes()
    content = {
        "empty": b"", "cut": whole[: len(whole) // 2], "text": b"no picture", "bomb": _png_that_claims(60000, 60000),
        "nothing": _png_that_claims(0, 0), "flipped": whole[:60] + b"\xff\0\xff" + whole[63:], "html": b"<html>" * 99,
    }  # fmt: skip
    if kind in content:
        path.write_bytes(content[kind])
    elif kind == "deep":
        cv2.imwrite(str(path), NOISE.astype(np.uint16) * 200)
    elif kind == "pages":
        path = path.with_suffix(".tif")
        tifffile.imwrite(path, np.stack([NOISE, NOISE]))
    elif kind == "float":
        path = path.with_suffix(".tif")
        tifffile.imwrite(path, NOISE.astype(np.float32))
    elif kind == "animated":
        frames = [Image.fromarray(NOISE), Image.fromarray(NOISE // 2)]
        frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])
    elif kind == "tiny":
        cv2.imwrite(str(path), NOISE[:2, :2])
    elif kind == "dangling":
        path.symlink_to(folder / "gone.png")
    elif kind == "circle":
        path.symlink_to(path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "array":
        path = path.with_suffix(".npy")
        path.write_bytes(b"\x93NUMPY\x01\0")
    return path


KINDS = (
    "empty", "cut", "text", "bomb", "nothing", "flipped", "html", "deep", "pages", "float", "animated", "tiny",
    "dangling", "circle", "pipe", "array",
)  # fmt: skip


def test_each_bad_image_is_named_and_the_good_ones_are_judged(inspected, small_bundle, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    bad = {str(_write(folder, kind)) for kind in KINDS}
    good = {str(folder / f"good {number}.png") for number in range(3)}
    for path in good:
        cv2.imwrite(path, NOISE)
    lines = {line["unit"]: line for line in inspected(small_bundle, folder)}
    assert set(lines) == bad | good
    assert {unit for unit, line in lines.items() if line["verdict"] == "refused"} == bad
    assert all(line["reason"] for unit, line in lines.items() if unit in bad)


def test_colour_of_printers_is_read(inspected, small_bundle, tmp_path):
    Image.fromarray(NOISE).convert("CMYK").save(tmp_path / "a.jpg")
    (line,) = inspected(small_bundle, tmp_path / "a.jpg")
    assert line["verdict"] != "refused"


def test_an_image_of_which_no_class_is_sure_enough_is_unknown(inspected, write_image, tmp_path):
    classifier_bundle(
        tmp_path / "a.zip", thresholds={"least_probability": dict.fromkeys(("bright", "dark", "plain"), 0.9)}
    )
    (line,) = inspected(tmp_path / "a.zip", write_image("a.png"))
    assert (line["verdict"], line["label"]) == ("unknown", UNKNOWN)
    assert len(line["overlays"]) == 1


@pytest.mark.parametrize("width", [3, 700, 3000])
def test_images_of_any_size_are_judged(inspected, small_bundle, write_image, width):
    (line,) = inspected(small_bundle, write_image("a.png", width=width, height=7))
    assert line["verdict"] != "refused"

"""An image with boxes around what was found, as a PNG: drawn in milliseconds, without a plotting library.

Shapes: H x W pixels.
"""

import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from glassline.data.storage import written_whole
from glassline.deploy.inspection.lines import Box, Image, Picture, Real

_LONGEST_PX, _LEAST_PX = 1600, 480
_HEAD_PX, _FONT_PX, _NAMED = 28, 15, 24
# Yellow on black: seen by the colour-blind, and on dark as on bright glass.
_BOX, _RIM, _INK = (255, 213, 0), (0, 0, 0), (255, 255, 255)
_HEAT_SHARE = 0.45


def write_overlay(path: Path, picture: Picture, title: str) -> None:
    """Write the picture, whole or not at all.

    Raises:
        StorageError: The disk is full or the folder may not be written.
    """
    told = io.BytesIO()
    draw_overlay(picture, title).save(told, "PNG", compress_level=1)
    with written_whole(path) as beside, open(beside, "wb") as stream:
        stream.write(told.getvalue())
        stream.flush()
        os.fsync(stream.fileno())  # the line that names it is on the disk when it is read


def draw_overlay(picture: Picture, title: str) -> Pillow.Image:
    """Return the image at 480 to 1600 px on its long side, under its heat, with boxes and a title."""
    height, width = picture.image.shape[:2]
    scale = min(_LONGEST_PX / max(height, width), max(1.0, _LEAST_PX / max(height, width)))
    shown_px = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    shown = np.asarray(cv2.resize(picture.image, shown_px, interpolation=how), np.uint8)
    rgb = np.repeat(shown[..., None], 3, axis=2) if shown.ndim == 2 else shown
    if picture.heat is not None:
        rgb = _heated(rgb, picture.heat)
    page = Pillow.new("RGB", (max(rgb.shape[1], _LEAST_PX), rgb.shape[0] + _HEAD_PX), _RIM)
    page.paste(Pillow.fromarray(rgb), (0, _HEAD_PX))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(_FONT_PX)
    pen.text((6, 5), _fitting(title, page.width, font), fill=_INK, font=font)
    for number, one in enumerate(picture.found):
        _box(pen, one.bbox_px, one.caption if number < _NAMED else "", scale, font, page.size)
    return page


def _heated(rgb: Image, heat: Real) -> Image:
    """Return an image under its heat; what is cold stays as it is."""
    size = rgb.shape[1], rgb.shape[0]
    warm = np.clip(np.asarray(cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR), np.float32), 0, 1)
    tint = cv2.cvtColor(cv2.applyColorMap((warm * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    share = (warm * _HEAT_SHARE)[..., None]
    return np.asarray(rgb * (1 - share) + tint * share, np.uint8)


def _box(
    pen: ImageDraw.ImageDraw, bbox_px: Box, caption: str, scale: float, font: Any, page: tuple[int, int]
) -> None:  # fmt: skip
    x, y, width, height = (value * scale for value in bbox_px)
    left, top, right, bottom = x - 2, y + _HEAD_PX - 2, x + width + 1, y + height + _HEAD_PX + 1
    for grow, ink in ((1, _RIM), (0, _BOX)):
        pen.rectangle((left - grow, top - grow, right + grow, bottom + grow), outline=ink, width=1 if grow else 2)
    if caption:
        told = pen.textbbox((0, 0), caption, font=font)
        across = min(max(left, 0), max(page[0] - told[2] - 4, 0))
        down = top - _FONT_PX - 5 if top - _FONT_PX - 5 >= _HEAD_PX else min(bottom + 3, page[1] - _FONT_PX - 5)
        pen.rectangle((across, down, across + told[2] + 4, down + _FONT_PX + 4), fill=_RIM)
        pen.text((across + 2, down), caption, fill=_BOX, font=font)


def _fitting(title: str, width_px: int, font: Any) -> str:
    """Return a title without its beginning where it is too long: the end names the file and the verdict."""
    shown = title
    while len(shown) > 1 and font.getlength(shown) > width_px - 12:
        shown = "…" + shown[max(2, len(shown) // 12) :]
    return shown

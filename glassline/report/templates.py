"""The HTML templates of this folder, with everything that is filled in escaped."""

import base64
import struct
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from glassline.errors import DataError

#: No page may ask anything of the network, whatever is written into it.
CONTENT_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


@cache
def template(name: str) -> Template:
    """Return a template of this folder; class and file names come from outside, so all is escaped."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    found.filters["data_uri"] = data_uri
    found.filters["width_px"] = lambda png: png_size(png)[0]
    found.filters["height_px"] = lambda png: png_size(png)[1]
    return found.get_template(name)


def data_uri(image: bytes, kind: str = "png") -> str:
    """Return an image as the value of a `src`."""
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def png_size(png: bytes) -> tuple[int, int]:
    """Return width and height of a PNG in px.

    Raises:
        DataError: The bytes are no PNG.
    """
    if png[:8] != b"\x89PNG\r\n\x1a\n" or len(png) < 24:
        raise DataError(f"a figure must be the bytes of a PNG file, got {png[:8]!r}; write it with save_figure")
    width_px, height_px = struct.unpack(">II", png[16:24])
    return int(width_px), int(height_px)

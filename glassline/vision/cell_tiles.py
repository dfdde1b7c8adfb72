"""Severity of an image of any size, tile by tile: exact at the seams, in memory that the image's size hardly changes.

Shapes: H x W pixels, R x C cells of q x q px, h x w pixels of a tile.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydantic import Field

from glassline.data.captures.window import Window
from glassline.errors import ModelError
from glassline.models.settings import HALO_PX
from glassline.settings import Settings

Image = npt.NDArray[np.uint8]
Severity = npt.NDArray[np.float32]
#: Read a window of an image: grey (h, w), or red, green and blue (h, w, 3).
ReadWindow = Callable[[Window], Image]
#: Run a detector: from images (B, H, W) or (B, H, W, 3) to severity (B, R, C).
RunDetector = Callable[[Image], Severity]

# Rows of an odd number of cells, or of one that vector units do not divide, took up to twice the time.
_STEP_CELLS = 16


class CellTileSettings(Settings):
    """How an image is cut."""

    tile_cells: int = Field(
        384, ge=64, multiple_of=_STEP_CELLS, description="longest edge of a tile in cells, which memory goes by"
    )


@dataclass(frozen=True)
class _Cut:
    """One tile along one axis.

    Attributes:
        begin_px: Where it begins; it is as long as the others.
        cells: First and last + 1 of the image's cells that are taken from it.
    """

    begin_px: int
    cells: tuple[int, int]


def score_cells(
    read: ReadWindow, size_px: tuple[int, int], cell_px: int, run: RunDetector, settings: CellTileSettings
) -> Severity:
    """Return the severity (R, C) of each cell of an image, as if it had been scored in one piece.

    All tiles have one shape and overlap: what is taken from a tile lies so far from its edges, the image's rim
    excepted, that they are out of the detector's sight. The next tile is read while one is scored. A size that cells do
    not divide is filled up by repeating the last row and column.

    Args:
        read: Reads a window of the image; called from another thread, one window at a time.
        size_px: Height and width of the image.
        cell_px: Edge of a cell: 4, 2 or 1.
        run: The detector.
        settings: Tiles.

    Raises:
        ModelError: The detector gave something that is no number.
    """
    (edge_h, rows), (edge_w, columns) = (_cuts(size, cell_px, settings.tile_cells) for size in size_px)
    places = [(down, across) for down in rows for across in columns]
    severity_RC = np.empty((rows[-1].cells[1], columns[-1].cells[1]), np.float32)

    def fetch(down: _Cut, across: _Cut) -> Image:
        height, width = min(edge_h, size_px[0] - down.begin_px), min(edge_w, size_px[1] - across.begin_px)
        tile = read(Window(across.begin_px, down.begin_px, width, height))
        beyond = ((0, edge_h - height), (0, edge_w - width), (0, 0))[: tile.ndim]
        # A copy in any case: of a memory map, the disk is read here.
        return np.pad(np.array(tile, order="C"), beyond, "edge")

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(fetch, *places[0])
        for number, (down, across) in enumerate(places):
            tile = coming.result()
            if number + 1 < len(places):
                coming = pool.submit(fetch, *places[number + 1])
            tile_RC = run(tile[None])[0]
            if not np.isfinite(tile_RC).all():
                raise ModelError(
                    f"severities must be numbers, got others in the tile at {across.begin_px}, {down.begin_px} px; "
                    "choose another precision, or train again"
                )
            (top, bottom), (left, right) = down.cells, across.cells
            y, x = (cut.begin_px // cell_px for cut in (down, across))
            severity_RC[top:bottom, left:right] = tile_RC[top - y : bottom - y, left - x : right - x]
    return severity_RC


def _cuts(size_px: int, cell_px: int, longest_cells: int) -> tuple[int, list[_Cut]]:
    """Return the tiles' edge in px and the tiles along one axis: as few as can be, then as short as can be."""
    cells, halo = math.ceil(size_px / cell_px), HALO_PX[cell_px] // cell_px
    if cells <= longest_cells:
        return cells * cell_px, [_Cut(0, (0, cells))]
    count = math.ceil((cells - 2 * halo) / (longest_cells - 2 * halo))
    edge = math.ceil((cells + (count - 1) * 2 * halo) / count / _STEP_CELLS) * _STEP_CELLS
    begins = [number * (cells - edge) // (count - 1) for number in range(count)]
    # Half of every overlap, two halos at least, goes to either side.
    seams = [0, *((one + edge + other) // 2 for one, other in pairwise(begins)), cells]
    return edge * cell_px, [
        _Cut(begin * cell_px, seam) for begin, seam in zip(begins, pairwise(seams), strict=True)
    ]  # fmt: skip

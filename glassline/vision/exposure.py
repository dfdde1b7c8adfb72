"""Refuse a zone whose frames show light or nothing: losing their background they would look like clean glass.

Shapes: S light states x H x W pixels.
"""

import numpy as np

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import Frames
from glassline.errors import DataError

# Less has no noise to measure.
_LEAST_PX = 16
# Scratches and dust fill a few pixels in a thousand.
_MOST_SATURATED = 0.05
# Share of cells without noise: none is expected of a sensor, many of a frame that was cut short or a half-covered lens.
_MOST_BLACK = 0.02
# Odd: every colour of a mosaic.
_STRIDE, _CELL = 5, 13


def check_exposed(frames_SHW: Frames, meta: ZoneMeta) -> None:
    """Refuse frames that show light or nothing instead of glass.

    Args:
        frames_SHW: Frames of a whole zone.
        meta: How it was taken.

    Raises:
        DataError: A frame is saturated, black in a part that is more than a mark, or too small; names the zone.
    """
    white, path = 2**meta.bit_depth - 1, meta.ref.path
    height_px, width_px = frames_SHW.shape[1:]
    if min(height_px, width_px) < _LEAST_PX:
        raise DataError(
            f"{path} must have {_LEAST_PX} px or more both ways, got {width_px} x {height_px}; capture it again"
        )
    for state, frame_HW in enumerate(frames_SHW):
        thin_HW = frame_HW[::_STRIDE, ::_STRIDE]
        saturated, black = float(np.mean(thin_HW >= white)), _black_share(thin_HW, white)
        if saturated > _MOST_SATURATED:
            raise DataError(
                f"{path} must be dark, at most {_MOST_SATURATED:.0%} saturated in every light state, got "
                f"{saturated:.0%} in state {state}; lower the exposure and capture it again"
            )
        if black > _MOST_BLACK:
            raise DataError(
                f"{path} must show the sensor's noise everywhere, got {black:.0%} of state {state} without any: black, "
                "cut short or no picture; check lamp, lens cap and camera, then capture it again"
            )


def _black_share(thin_HW: Frames, white: int) -> float:
    """Return the share of cells of which every pixel has the same level; white ones are saturated, not black."""
    rows, columns = (min(_CELL, size) for size in thin_HW.shape)
    down, across = thin_HW.shape[0] // rows, thin_HW.shape[1] // columns
    cells = thin_HW[: down * rows, : across * columns].reshape(down, rows, across, columns)
    highest, lowest = cells.max(axis=(1, 3)), cells.min(axis=(1, 3))
    return float(np.mean((highest == lowest) & (highest < white)))

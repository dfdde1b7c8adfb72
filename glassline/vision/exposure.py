"""Refuse a zone whose frames show light or nothing: losing their background they would look like clean glass.

Shapes: S light states x H x W pixels.
"""

import numpy as np

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import Frames
from glassline.errors import DataError

# A cell of a mosaic: less shows no colour whole.
_LEAST_PX = 2
# Scratches and dust fill a few pixels in a thousand.
_MOST_SATURATED = 0.05
# A sensor's noise spreads over several levels.
_MOST_EQUAL = 0.9


def check_exposed(frames_SHW: Frames, meta: ZoneMeta) -> None:
    """Refuse frames that show light or nothing instead of glass.

    Args:
        frames_SHW: Frames of a whole zone.
        meta: How it was taken.

    Raises:
        DataError: A frame is saturated, or black, or smaller than a cell of a mosaic; names the zone.
    """
    white, path = 2**meta.bit_depth - 1, meta.ref.path
    height_px, width_px = frames_SHW.shape[1:]
    if min(height_px, width_px) < _LEAST_PX:
        raise DataError(
            f"{path} must have {_LEAST_PX} px or more both ways, got {width_px} x {height_px}; capture it again"
        )
    for state, frame_HW in enumerate(frames_SHW):
        thin_N = frame_HW[::5, ::5].ravel()  # odd: every colour of a mosaic
        saturated, equal = float(np.mean(thin_N >= white)), float(np.bincount(thin_N).max() / len(thin_N))
        if saturated > _MOST_SATURATED:
            raise DataError(
                f"{path} must be dark, at most {_MOST_SATURATED:.0%} saturated in every light state, got "
                f"{saturated:.0%} in state {state}; lower the exposure and capture it again"
            )
        if equal > _MOST_EQUAL:
            raise DataError(
                f"{path} must show the sensor's noise in every light state, got {equal:.0%} of the pixels of state "
                f"{state} at one level: black or no picture; check lamp, lens cap and camera, then capture it again"
            )

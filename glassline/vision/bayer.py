"""From mosaics of a colour sensor to grey, and from light states to one image.

Each missing colour is the mean of its two or four nearest samples (bilinear), and grey is
0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as for colour files. Both are means: what is equally bright
all over stays flat whatever the gains of the colours are, no level leaves the sensor's range, and what
every colour clips stays clipped. A mark one pixel wide becomes two or three wide.

Shapes: S light states x H x W pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt

from glassline.data.captures.meta import Pattern
from glassline.errors import DataError

Levels = npt.NDArray[np.uint16]

_CODES = {
    "GRBG": cv2.COLOR_BayerGRBG2GRAY,
    "RGGB": cv2.COLOR_BayerRGGB2GRAY,
    "GBRG": cv2.COLOR_BayerGBRG2GRAY,
    "BGGR": cv2.COLOR_BayerBGGR2GRAY,
}


def debayer_grey(mosaic_HW: Levels, pattern: Pattern) -> Levels:
    """Return the grey levels of a mosaic.

    Args:
        mosaic_HW: Frame as the sensor gives it, at least 4 x 4 px.
        pattern: Its colour filter; `mono` passes through.

    Returns:
        Grey (H, W) in the mosaic's own levels.

    Raises:
        DataError: The mosaic is too small to have neighbours of every colour.
    """
    if pattern == "mono":
        return mosaic_HW
    if min(mosaic_HW.shape) < 4:
        raise DataError(f"a {pattern} mosaic must have at least 4 x 4 px, got {mosaic_HW.shape}; read a larger window")
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(mosaic_HW), _CODES[pattern]), np.uint16)


def grey_of_states(frames_SHW: Levels, pattern: Pattern, light_state: int | None = None) -> Levels:
    """Return one grey image of all light states.

    Args:
        frames_SHW: Frames of one zone.
        pattern: Colour filter of the sensor.
        light_state: Index of the only state to look at; None takes the brightest state of each pixel,
            debayered first, so that no pixel mixes two states.

    Returns:
        Grey (H, W) in the frames' own levels.

    Raises:
        DataError: There is no such light state.
    """
    if light_state is not None and not 0 <= light_state < len(frames_SHW):
        raise DataError(
            f"light_state must be one of the {len(frames_SHW)} states, 0 to {len(frames_SHW) - 1}, got {light_state}; "
            "choose one of them, or none for the maximum over all"
        )
    chosen_SHW = frames_SHW if light_state is None else frames_SHW[light_state : light_state + 1]
    grey_HW = debayer_grey(chosen_SHW[0], pattern)
    for frame_HW in chosen_SHW[1:]:  # one state at a time: six of a full zone are 130 MB
        grey_HW = np.maximum(grey_HW, debayer_grey(frame_HW, pattern))
    return grey_HW

"""A whole zone or a window of it as overlays show it: dark glass brightened, thin marks not washed out.

Shapes: H x W pixels of the zone.
"""

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from glassline.report.style import QUIET

Shade = npt.NDArray[np.float32]

_LONGEST_PX = 900


def shaded(grey_HW: npt.NDArray[np.uint16]) -> Shade:
    """Return levels as shades from 0 to 1: noise stays dark, the brightest 0.2 % or 12 sigmas of it are white."""
    sample_N = grey_HW[::4, ::4].astype(np.float32)
    middle, bright = (float(level) for level in np.percentile(sample_N, (50, 99.8)))
    sigma = max(1.0, 1.4826 * float(np.median(np.abs(sample_N - middle))))
    low, high = middle + sigma, max(bright, middle + 12 * sigma)
    return np.asarray(np.sqrt(np.clip((grey_HW.astype(np.float32) - low) / (high - low), 0, 1)), np.float32)


def draw_zone(axes: Axes, shade_HW: Shade) -> None:
    """Draw a whole zone with ticks in its own px, 900 px at most on its longest side."""
    height, width = shade_HW.shape
    step = -(-max(height, width) // _LONGEST_PX)
    # The brightest of each cell: a mean would wash thin scratches out.
    brightest_HW = cv2.dilate(shade_HW, np.ones((step, step), np.uint8))[::step, ::step]
    axes.imshow(brightest_HW, cmap="gray", vmin=0, vmax=1, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    axes.spines[:].set_visible(False)


def outline(axes: Axes, mask_HW: npt.NDArray[np.bool_], colour: str, width: float) -> None:
    """Draw the outline of a mask on axes that show the same window."""
    # A mask of one value has no outline, and matplotlib warns about it.
    if mask_HW.any() and not mask_HW.all():
        axes.contour(mask_HW.astype(np.float32), [0.5], colors=[colour], linewidths=width)

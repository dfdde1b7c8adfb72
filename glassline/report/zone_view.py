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
    """Return levels as shades from 0 to 1, so that faint scratches and bright dust are seen in one picture.

    Black lies one sigma of the noise above the median, white at the brightest 0.2 %, 12 sigmas at least; linear in the
    noise and logarithmic above it (arsinh). Sigma is taken below the median, where nothing is that shines.
    """
    step = max(1, min(grey_HW.shape) // 256)
    dark, middle, bright = (float(level) for level in np.percentile(grey_HW[::step, ::step], (16, 50, 99.8)))
    sigma = np.float32(max(middle - dark, 1))
    white = np.arcsinh(max((bright - middle) / float(sigma) - 1, 11))
    above_HW = (grey_HW.astype(np.float32) - np.float32(middle)) / sigma - 1
    return np.asarray(np.clip(np.arcsinh(above_HW) / white, 0, 1), np.float32)


def draw_zone(axes: Axes, shade_HW: Shade) -> None:
    """Draw a whole zone with ticks in its own px, 900 px at most on its longest side."""
    height, width = shade_HW.shape
    axes.imshow(_brightest(shade_HW), cmap="gray", vmin=0, vmax=1, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axes.set_autoscale_on(False)
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    axes.spines[:].set_visible(False)


def _brightest(image_HW: Shade) -> Shade:
    # Not the mean of each cell, which would wash thin scratches out.
    step = -(-max(image_HW.shape) // _LONGEST_PX)
    return np.asarray(cv2.dilate(image_HW, np.ones((step, step), np.uint8))[::step, ::step])


def outline_in_zone(axes: Axes, mask_HW: npt.NDArray[np.bool_], colour: str) -> None:
    """Draw the outline of a mask of the whole zone on `draw_zone`'s picture, standing off by a little."""
    height, width = mask_HW.shape
    small_HW = grown(_brightest(mask_HW.astype(np.float32)) > 0, 1 + min(height, width, _LONGEST_PX) // 200)
    if small_HW.any() and not small_HW.all() and min(small_HW.shape) > 1:
        axes.contour(small_HW.astype(np.float32), [0.5], colors=[colour], linewidths=0.8,
                     extent=(0, width - 1, 0, height - 1))  # fmt: skip


def grown(mask_HW: npt.NDArray[np.bool_], by_px: int) -> npt.NDArray[np.bool_]:
    """Return a mask grown by a disc."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by_px + 1, 2 * by_px + 1))
    return np.asarray(cv2.dilate(mask_HW.astype(np.uint8), disc), np.bool_)


def outline(axes: Axes, mask_HW: npt.NDArray[np.bool_], colour: str, width: float) -> None:
    """Draw the outline of a mask on axes that show the same window."""
    # A mask of one value has no outline, and matplotlib warns about it.
    if mask_HW.any() and not mask_HW.all():
        axes.contour(mask_HW.astype(np.float32), [0.5], colors=[colour], linewidths=width)

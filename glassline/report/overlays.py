"""Figures over images: where a model looks, and which candidates were found.

Shapes: B patches, H x W pixels.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from glassline.errors import DataError
from glassline.report.style import BRIGHT, INK, QUIET, blank, colours, new_figure, plain

_COLUMNS = 6
_OUTLINE = "#56e0ff"
_HEAT = "inferno"
_LONGEST_PX = 1600
_NAMED_AT_MOST = 24


def cam_grid(
    patches_BHW: npt.NDArray[np.uint8],
    cams_BHW: npt.NDArray[np.floating],
    masks_BHW: npt.NDArray[np.bool_] | None,
    titles: Sequence[str],
) -> Figure:
    """Draw each patch above the same patch under its activation map, with the defect outlined.

    Args:
        patches_BHW: Grey patches, 0 to 255; six a row, of which there are as many as needed.
        cams_BHW: Activation maps of the same size, 0 to 1.
        masks_BHW: Defect masks, or None where there are none.
        titles: One line per patch.

    Raises:
        DataError: The numbers of patches, maps, masks and titles differ.
    """
    count = len(patches_BHW)
    sizes = [count, len(cams_BHW), count if masks_BHW is None else len(masks_BHW), len(titles)]
    if len(set(sizes)) != 1:
        raise DataError(f"patches, maps, masks and titles must be as many, got {sizes}; pass one of each per patch")
    if count == 0:
        fig = new_figure(4, 1.4)
        blank(fig.add_subplot(), "no sample to show")
        return fig
    columns = min(_COLUMNS, count)
    blocks = -(-count // columns)
    fig = new_figure(1.75 * columns + 0.7, 3.75 * blocks)
    grid = fig.subplots(2 * blocks, columns, squeeze=False)
    for index in range(blocks * columns):
        row, column = 2 * (index // columns), index % columns
        above, below = grid[row, column], grid[row + 1, column]
        blank(above)
        blank(below)
        if index >= count:
            continue
        mask_HW = None if masks_BHW is None else masks_BHW[index]
        _grey(above, patches_BHW[index])
        _grey(below, patches_BHW[index])
        cam_HW = np.clip(np.nan_to_num(cams_BHW[index]), 0, 1)
        # What the model ignores stays readable: the map covers the patch only as far as it is active.
        shade = below.imshow(cam_HW, cmap=_HEAT, vmin=0, vmax=1, alpha=0.75 * np.sqrt(cam_HW), interpolation="bilinear")
        for axes in (above, below):
            _outline(axes, mask_HW)
        above.set_title(plain(titles[index], 26), fontsize=8.5, color=INK, pad=4)
    _heat_bar(fig, grid, shade)
    return fig


def _grey(axes: Axes, grey_HW: npt.NDArray[np.uint8]) -> None:
    axes.imshow(grey_HW, cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def _outline(axes: Axes, mask_HW: npt.NDArray[np.bool_] | None) -> None:
    # A mask of one value has no outline, and matplotlib warns about it.
    if mask_HW is not None and mask_HW.any() and not mask_HW.all():
        axes.contour(mask_HW.astype(np.float32), [0.5], colors=[_OUTLINE], linewidths=1.1)


def _heat_bar(fig: Figure, grid: npt.NDArray[np.object_], shade: object) -> None:
    bar = fig.colorbar(shade, ax=grid, fraction=0.015, pad=0.01, ticks=[0, 1], aspect=40)  # type: ignore[arg-type]
    bar.solids.set_alpha(1)  # type: ignore[union-attr]
    bar.ax.set_yticklabels(["0", "1"], fontsize=8, color=QUIET)
    bar.set_label("activation", fontsize=8.5, color=QUIET, labelpad=-2)
    bar.outline.set_visible(False)  # type: ignore[operator]


def candidates_overlay(
    grey_HW: npt.NDArray[np.uint8], boxes: Sequence[Sequence[float]], labels: Sequence[str]
) -> Figure:
    """Draw candidate boxes on a large image, coloured by label.

    Args:
        grey_HW: Grey image, 0 to 255; shown at 1600 px at most.
        boxes: x, y, width and height of each in px of the image.
        labels: One per box; written beside the boxes where there are 24 or fewer.

    Raises:
        DataError: The numbers of boxes and labels differ.
    """
    if len(boxes) != len(labels):
        raise DataError(f"boxes and labels must be as many, got {len(boxes)} and {len(labels)}; pass one label per box")
    height_px, width_px = grey_HW.shape
    scale = min(1.0, _LONGEST_PX / max(height_px, width_px))
    shown_px = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    shown_HW = grey_HW if scale == 1 else cv2.resize(grey_HW, shown_px, interpolation=cv2.INTER_AREA)
    ratio = height_px / width_px
    width_in = 10.0 if ratio <= 1 else max(3.0, 10.0 / ratio)
    fig = new_figure(width_in, min(10.0, max(1.5, width_in * ratio)) + 0.3)
    axes = fig.add_subplot()
    # The extent keeps ticks in px of the image, whatever size is shown.
    axes.imshow(shown_HW, cmap="gray", vmin=0, vmax=255, extent=(-0.5, width_px - 0.5, height_px - 0.5, -0.5))
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    axes.spines[:].set_visible(False)
    tint = colours(sorted(map(str, labels)), BRIGHT)
    for (x_px, y_px, box_width_px, box_height_px), label in zip(boxes, map(str, labels), strict=True):
        _box(
            axes, (x_px, y_px, box_width_px, box_height_px), tint[label], label if len(boxes) <= _NAMED_AT_MOST else ""
        )
    axes.set_xlim(-0.5, width_px - 0.5)
    axes.set_ylim(height_px - 0.5, -0.5)
    found = [Line2D([], [], color=tint[name], linewidth=2.5, label=_count(name, labels)) for name in tint]
    if found:
        fig.legend(handles=found, loc="outside upper left", ncols=6, fontsize=8.5, frameon=False, labelcolor=INK)
    else:
        fig.suptitle("no candidate found", fontsize=9, color=QUIET, x=0.02, ha="left")
    return fig


def _count(name: str, labels: Sequence[str]) -> str:
    return f"{plain(name)} ({sum(str(label) == name for label in labels)})"


def _box(axes: Axes, box_px: tuple[float, float, float, float], colour: str, name: str) -> None:
    x_px, y_px, width_px, height_px = box_px
    rim = [withStroke(linewidth=3.2, foreground="black", alpha=0.55)]
    axes.add_patch(
        Rectangle((x_px, y_px), width_px, height_px, fill=False, edgecolor=colour, linewidth=1.7, path_effects=rim)
    )
    if name:
        axes.annotate(plain(name), (x_px, y_px), xytext=(1, 2), textcoords="offset points", fontsize=8, color="white",
                      path_effects=[withStroke(linewidth=2.2, foreground="black")], clip_on=True)  # fmt: skip

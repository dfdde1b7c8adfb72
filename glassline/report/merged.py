"""Overlay of a merged zone: what the inspector boxed, what the model found, what the label became.

Shapes: H x W pixels of the clean zone.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from glassline.report.style import BRIGHT, INK, blank, new_figure, plain
from glassline.report.zone_view import Shade, draw_zone, outline, shaded
from glassline.vision.merge import MergedObject

_BOX, _FINAL, _MODEL = BRIGHT[5], BRIGHT[0], BRIGHT[3]
_SHOWN, _COLUMNS = 6, 3
_MARGIN_PX = 14


def merged_overlay(
    grey_HW: npt.NDArray[np.uint16], model_HW: npt.NDArray[np.bool_], objects: Sequence[MergedObject], title: str
) -> Figure:
    """Draw a zone with its boxes, and its six largest objects close up with the outlines of both masks.

    Args:
        grey_HW: The clean zone in levels of the sensor, brightest light state.
        model_HW: The model's mask.
        objects: What was boxed.
        title: One line.
    """
    shade_HW = shaded(grey_HW)
    shown = sorted(range(len(objects)), key=lambda number: -objects[number].mask_HW.size)[:_SHOWN]
    rows = max(1, -(-len(shown) // _COLUMNS))
    fig = new_figure(12.5, 4.9)
    grid = fig.add_gridspec(rows, _COLUMNS + 3)
    _whole(fig.add_subplot(grid[:, :3]), shade_HW, objects)
    if not objects:
        blank(fig.add_subplot(grid[:, 3:]), "no box: the zone is clean")
    for place, number in enumerate(shown):
        axes = fig.add_subplot(grid[place // _COLUMNS, 3 + place % _COLUMNS])
        _close_up(axes, shade_HW, model_HW, objects[number], number)
    fig.suptitle(plain(title, 120), fontsize=10.5, color=INK, x=0.01, ha="left")
    lines = {"inspector's box": _BOX, "model": _MODEL, "final mask": _FINAL}
    handles = [Line2D([], [], color=colour, linewidth=2.2, label=name) for name, colour in lines.items()]
    fig.legend(handles=handles, loc="outside lower right", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def _whole(axes: Axes, shade_HW: Shade, objects: Sequence[MergedObject]) -> None:
    draw_zone(axes, shade_HW)
    for number, item in enumerate(objects):
        x, y, box_width, box_height = item.drawn.bbox
        axes.add_patch(Rectangle((x, y), box_width, box_height, fill=False, edgecolor=_BOX, linewidth=1.3))
        axes.annotate(str(number + 1), (x, y), xytext=(1, 2), textcoords="offset points", fontsize=8, color=_BOX)


def _close_up(axes: Axes, shade_HW: Shade, model_HW: npt.NDArray[np.bool_], item: MergedObject, number: int) -> None:
    rows, columns = item.window
    top, left = max(rows.start - _MARGIN_PX, 0), max(columns.start - _MARGIN_PX, 0)
    view = (slice(top, rows.stop + _MARGIN_PX), slice(left, columns.stop + _MARGIN_PX))
    final_HW = item.whole_mask(shade_HW.shape)[view]
    axes.imshow(shade_HW[view], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    x, y, width, height = item.drawn.bbox
    axes.add_patch(Rectangle((x - left - 0.5, y - top - 0.5), width, height, fill=False, edgecolor=_BOX, linewidth=1.1))
    outline(axes, model_HW[view], _MODEL, 1.7)
    outline(axes, final_HW, _FINAL, 0.8)
    blank(axes)
    state = "" if item.drawn.status == "confirmed" else f", {item.drawn.status}"
    axes.set_title(plain(f"{number + 1} {item.drawn.label}{state}, by {item.by}", 34), fontsize=8.5, color=INK, pad=4)

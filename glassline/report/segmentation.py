"""Figures of a scratch segmentation: what was hit and missed in a zone, and which errors a threshold trades.

Shapes: H x W pixels of the zone, h x w pixels of the score map.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from glassline.report.rates import pr_figure, trade_off_figure
from glassline.report.scratch_marks import Mark, Mask, marks_of
from glassline.report.style import BRIGHT, INK, LOOKS, blank, new_figure, outcome_legend, plain
from glassline.report.zone_view import Shade, draw_zone, grown, outline, outline_in_zone, shaded
from glassline.vision.light_states import Real
from glassline.vision.scratches import FindSettings, Scratch

__all__ = ["hits_overlay", "pr_figure", "trade_off_figure"]

_TRUTH = BRIGHT[4]
_SHOWN, _NUMBERED = 6, 24
_MARGIN_PX, _LEAST_PX, _MOST_PX = 14, 48, 240
_LOW = FindSettings().low


def hits_overlay(
    grey_HW: npt.NDArray[np.uint16], truth_HW: Mask | None, scratches: Sequence[Scratch], high: float, title: str,
    score_hw: Real | None = None, low: float = _LOW,
) -> Figure:  # fmt: skip
    """Draw a zone with its hits, misses and false alarms, and six of them close up, misses first.

    Args:
        grey_HW: The zone in levels of the sensor, brightest light state.
        truth_HW: Its scratches, or None where they are not known: then what was found is drawn.
        scratches: What was found, with every peak.
        high: Peak from which it counts.
        title: One line.
        score_hw: Scores of the zone, 0 to 1, for outlines of what was found.
        low: Score that a pixel of the outline needs.
    """
    height, width = grey_HW.shape
    marks = marks_of(truth_HW, scratches, (height, width), high, score_hw, low)
    fig = new_figure(13, 5.6)
    halves = fig.add_gridspec(1, 2, width_ratios=(2.2, 3))
    _whole(fig.add_subplot(halves[0]), shaded(grey_HW), marks, score_hw is not None)
    if not marks:
        blank(fig.add_subplot(halves[1]), "no scratch found" if truth_HW is None else "no scratch, and none found")
    shown = marks[:_SHOWN]
    columns = max(1, min(len(shown), 2 if len(shown) <= 4 else 3))
    grid = halves[1].subgridspec(max(1, -(-len(shown) // columns)), columns)
    for place, mark in enumerate(shown):
        axes = fig.add_subplot(grid[place // columns, place % columns])
        _close_up(axes, grey_HW, truth_HW, mark, score_hw is not None)
        axes.set_title(f"{place + 1} {_caption(mark)}", fontsize=8.5, color=INK, pad=4)
    fig.suptitle(plain(title, 120), fontsize=10.5, color=INK, x=0.01, ha="left")
    outcome_legend(fig, [mark.outcome for mark in marks], ("true outline", _TRUTH) if truth_HW is not None else None)
    return fig


def _whole(axes: Axes, shade_HW: Shade, marks: Sequence[Mark], outlined: bool) -> None:
    draw_zone(axes, shade_HW)
    for outcome, (colour, _) in LOOKS.items():
        of_it = [mark for mark in marks if mark.outcome == outcome and (outlined or mark.scratch is None)]
        outline_in_zone(axes, _drawn(of_it, shade_HW.shape), colour)
    # Off the scratch by a little, or a thin box would hide it.
    gap = max(shade_HW.shape) / 150
    rim = [withStroke(linewidth=2, foreground="black")]
    for number, mark in enumerate(marks):
        x, y, width, height = mark.bbox_px
        left, top, colour, dash = x - 0.5 - gap, y - 0.5 - gap, *LOOKS[mark.outcome]
        box = Rectangle((left, top), width + 2 * gap, height + 2 * gap, fill=False, edgecolor=colour, linestyle=dash)
        axes.add_patch(box).set_linewidth(1.5)
        if number < (_NUMBERED if len(marks) <= _NUMBERED else _SHOWN):
            axes.annotate(
                str(number + 1), (max(left, 0), max(top, 0)), xytext=(1, 2), textcoords="offset points", fontsize=8.5,
                fontweight="bold", color=colour, path_effects=rim,
            )  # fmt: skip


def _close_up(axes: Axes, grey_HW: npt.NDArray[np.uint16], truth_HW: Mask | None, mark: Mark, outlined: bool) -> None:
    view = _view(mark, grey_HW.shape)
    axes.imshow(shaded(grey_HW[view]), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    # A scratch is a line: outlines stand off it by a little, the true one further, so that all three are seen.
    off = 1 + (view[0].stop - view[0].start) // 120
    if truth_HW is not None:
        outline(axes, grown(truth_HW[view], 2 * off), _TRUTH, 1.0)
    if mark.scratch is not None and outlined:
        outline(axes, grown(_drawn([mark], grey_HW.shape)[view], off), LOOKS[mark.outcome][0], 1.0)
    blank(axes)


def _drawn(marks: Sequence[Mark], size_px: tuple[int, ...]) -> Mask:
    mask_HW = np.zeros(size_px, np.bool_)
    for mark in marks:
        x, y, width, height = mark.bbox_px
        mask_HW[y : y + height, x : x + width] |= mark.mask_HW
    return mask_HW


def _view(mark: Mark, size_px: tuple[int, ...]) -> tuple[slice, slice]:
    """Return a square window on a mark; on one too long to be seen, around its likeliest pixel."""
    x, y, width, height = mark.bbox_px
    edge = max(_LEAST_PX, max(width, height) + 2 * _MARGIN_PX)
    if edge > _MOST_PX:
        edge, (x, y), width, height = _MOST_PX, mark.spot_px, 0, 0
    top, left = y + height // 2 - edge // 2, x + width // 2 - edge // 2
    top, left = (max(0, min(start, size - edge)) for start, size in zip((top, left), size_px, strict=True))
    return slice(top, top + edge), slice(left, left + edge)


def _caption(mark: Mark) -> str:
    if mark.scratch is None:
        how = f"peak only {mark.peak:.2f}" if mark.peak else "nothing found"
        return f"miss, {max(mark.bbox_px[2:])} px\n{how}"
    one = mark.scratch
    name = "scratch" if mark.outcome == "found" else mark.outcome
    return (
        f"{name}, peak {one.peak:.2f}\n{one.length_um:,.0f} µm at {one.direction_deg:.0f}°, {one.contrast_sigma:.1f} σ"
    )

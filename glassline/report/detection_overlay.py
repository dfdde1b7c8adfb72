"""An image with its severity, its defects and what was found of them; some of them close up.

Shapes: H x W pixels, R x C cells of q x q px.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from glassline.analysis.detection_tables import ImageDefects, Real
from glassline.report.detection_marks import Mark, marks_of
from glassline.report.style import BRIGHT, INK, LOOKS, QUIET, blank, new_figure, outcome_legend, plain
from glassline.report.zone_view import grown
from glassline.vision.annotated_images import Image, Mask
from glassline.vision.severity import LARGEST

_TRUTH = BRIGHT[2]
# Without its darkest third, that dark images would swallow.
_MAP = LinearSegmentedColormap.from_list("severity", colormaps["magma"](np.linspace(0.32, 1, 256)))
_LONGEST_PX = 900
_CLOSE, _NAMED, _NUMBERED = 4, 8, 24
_LEAST_PX, _MOST_PX = 64, 480
View = tuple[slice, slice]


def detection_overlay(
    image: Image, severity_RC: Real, cell_px: int, annotated: ImageDefects | None, found: ImageDefects, title: str
) -> Figure:
    """Draw an image under its severity with hits, misses and false alarms, and four of them close up, misses first.

    Args:
        image: Grey (H, W) or red, green, blue (H, W, 3), 0 to 255; shown at 900 px at most.
        severity_RC: Severity of ceil(H / q) x ceil(W / q) cells, 0 to 12.
        cell_px: Edge of a cell.
        annotated: Its annotated defects, or None where they are not known: then what was found is drawn.
        found: What was found.
        title: One line.
    """
    marks = marks_of(annotated, found)
    truth_HW = None if annotated is None else annotated.index_HW > 0
    fig = new_figure(14, 5.8)
    halves = fig.add_gridspec(1, 2, width_ratios=(1, 1.25))
    whole = slice(0, image.shape[0]), slice(0, image.shape[1])
    axes = fig.add_subplot(halves[0])
    shade = _draw(axes, image, severity_RC, cell_px, truth_HW, whole)
    _boxes(axes, marks, whole, named=True)
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    _bar(fig, axes, shade)
    shown = marks[:_CLOSE]
    if not shown:
        blank(fig.add_subplot(halves[1]), "no defect found" if annotated is None else "no defect, and none found")
    columns = 1 if len(shown) < 2 else 2
    grid = halves[1].subgridspec(max(1, -(-len(shown) // columns)), columns, wspace=0.06)
    for place, mark in enumerate(shown):
        pair = grid[place // columns, place % columns].subgridspec(1, 2, wspace=0)
        plain_axes, shaded_axes = fig.add_subplot(pair[0]), fig.add_subplot(pair[1])
        view = _view(mark.bbox_px, image.shape)
        _draw(plain_axes, image, None, cell_px, truth_HW, view)
        _draw(shaded_axes, image, severity_RC, cell_px, None, view)
        _boxes(shaded_axes, [mark], view, named=False)
        for close, side in ((plain_axes, "E"), (shaded_axes, "W")):
            blank(close)
            close.set_anchor(side)  # both views of a defect side by side
        plain_axes.set_title(_caption(place + 1, mark), fontsize=8.5, color=INK, pad=4, loc="left")
    fig.suptitle(plain(title, 120), fontsize=10.5, color=INK, x=0.01, ha="left")
    truth = None if annotated is None else ("annotated outline", _TRUTH)
    outcome_legend(fig, [mark.outcome for mark in marks], truth)
    return fig


def _draw(
    axes: Axes, image: Image, severity_RC: Real | None, cell_px: int, truth_HW: Mask | None, view: View
) -> AxesImage | None:
    """Draw a window of an image with ticks in px of the image; return the severity where it is drawn."""
    window = image[view]
    (top, bottom), (left, right) = ((part.start, part.stop) for part in view)
    step = -(-max(window.shape[:2]) // _LONGEST_PX)
    if step > 1:
        shown_px = tuple(max(1, size // step) for size in (window.shape[1], window.shape[0]))
        window = np.asarray(cv2.resize(window, shown_px, interpolation=cv2.INTER_AREA), np.uint8)
    extent = (left - 0.5, right - 0.5, bottom - 0.5, top - 0.5)
    axes.imshow(window, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
    shade = None
    if severity_RC is not None:
        cells = tuple(slice(part.start // cell_px, -(-part.stop // cell_px)) for part in view)
        shade = _severity(axes, severity_RC[cells], cells, cell_px, max(1, step // cell_px))
    if truth_HW is not None:
        _outline(axes, truth_HW[view], step, (left, top))
    axes.set(xlim=(left - 0.5, right - 0.5), ylim=(bottom - 0.5, top - 0.5))
    axes.spines[:].set_visible(False)
    return shade


def _severity(axes: Axes, severity_rc: Real, cells: Any, cell_px: int, step: int) -> AxesImage:
    """Draw severity over an image: what is not severe stays clear."""
    top, left = (part.start * cell_px for part in cells)
    # Not the mean, which would wash small defects out.
    shown_rc = _highest(severity_rc, step)
    bottom, right = top + shown_rc.shape[0] * step * cell_px, left + shown_rc.shape[1] * step * cell_px
    strength_rc = np.clip(shown_rc / LARGEST, 0, 1)
    return axes.imshow(
        shown_rc, cmap=_MAP, norm=Normalize(0, LARGEST), alpha=0.85 * strength_rc**0.75,
        extent=(left - 0.5, right - 0.5, bottom - 0.5, top - 0.5), interpolation="nearest",
    )  # fmt: skip


def _highest(map_rc: npt.NDArray[Any], step: int) -> npt.NDArray[Any]:
    """Return the highest value of each block of step x step."""
    filled = np.pad(map_rc, tuple((0, -size % step) for size in map_rc.shape))
    return np.asarray(filled.reshape(filled.shape[0] // step, step, -1, step).max(axis=(1, 3)))


def _outline(axes: Axes, truth_hw: Mask, step: int, corner_px: tuple[int, int]) -> None:
    """Draw the outline of annotated defects, a little off."""
    small_hw = grown(_highest(truth_hw, step), 1 + max(truth_hw.shape) // step // 450)
    # A mask of one value has no outline, and matplotlib warns about it.
    if small_hw.any() and not small_hw.all() and min(small_hw.shape) > 1:
        left, top = corner_px
        across, down = (np.arange(size) * step + (step - 1) / 2 for size in small_hw.shape[::-1])
        axes.contour(left + across, top + down, small_hw.astype(np.float32), [0.5], colors=[_TRUTH], linewidths=1.0)


def _boxes(axes: Axes, marks: Sequence[Mark], view: View, named: bool) -> None:
    height, width = (part.stop - part.start for part in view)
    # Off the defect by a little, and never too small to be seen.
    gap, least = max(height, width) / 150, max(height, width) / 50
    rim = [withStroke(linewidth=2.2, foreground="black")]
    for number, mark in enumerate(marks, 1):
        x, y, wide, high = mark.bbox_px
        wider, higher = max(gap, (least - wide) / 2), max(gap, (least - high) / 2)
        left, right = _within(x - wider, x + wide + wider, view[1])
        top, bottom = _within(y - higher, y + high + higher, view[0])
        colour, dash = LOOKS[mark.outcome]
        box = Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linestyle=dash)
        axes.add_patch(box).set(linewidth=1.6, path_effects=[withStroke(linewidth=3, foreground="black", alpha=0.5)])
        if not named or number > _NUMBERED:
            continue
        text = " ".join([str(number), *_short(mark)]) if len(marks) <= _NAMED else str(number)
        under, leftward = y - view[0].start < height / 12, x - view[1].start > width * 0.7
        at = right if leftward else left, bottom if under else top
        axes.annotate(
            text, at, xytext=(0, -3 if under else 3), textcoords="offset points", fontsize=8.5, fontweight="bold",
            color=colour, path_effects=rim, ha="right" if leftward else "left", va="top" if under else "bottom",
        )  # fmt: skip


def _view(bbox_px: tuple[int, int, int, int], size_px: tuple[int, ...]) -> View:
    """Return a square window around a defect, within the image; of a large one its middle."""
    x, y, width, height = bbox_px
    edge = min(max(_LEAST_PX, 2 * max(width, height)), max(_MOST_PX, round(1.2 * max(width, height))))
    parts = []
    for start, length, size in ((y, height, size_px[0]), (x, width, size_px[1])):
        first = max(0, min(start + length // 2 - edge // 2, size - edge))
        parts.append(slice(first, min(first + edge, size)))
    return parts[0], parts[1]


def _within(start: float, stop: float, part: slice) -> tuple[float, float]:
    """Return both ends of a box, edges of pixels, kept so far within a window that its lines are seen."""
    rim = (part.stop - part.start) / 300
    return max(start - 0.5, part.start - 0.5 + rim), min(stop - 0.5, part.stop - 0.5 - rim)


def _short(mark: Mark) -> list[str]:
    told = [_type(mark, 14)]
    if np.isfinite(mark.severity_max) and mark.outcome != "miss":
        told.append(f"· {mark.severity_max:.1f}")
    return [part for part in told if part]


def _type(mark: Mark, longest: int) -> str:
    probability = f" {mark.probability:.2f}" if np.isfinite(mark.probability) else ""
    return f"{plain(mark.type, longest)}{probability}"


def _caption(number: int, mark: Mark) -> str:
    outcome = "defect" if mark.outcome == "found" else mark.outcome
    overlap = f", IoU {mark.iou:.2f}" if mark.iou else ", nothing found" if mark.outcome == "miss" else ""
    truly = f" (is {plain(mark.annotated, 18)})" if mark.type and mark.annotated not in ("", mark.type) else ""
    severity = ""
    if np.isfinite(mark.severity_max):
        kind = "labelled severity" if mark.outcome == "miss" else "severity"
        severity = f"{kind} {mark.severity_max:.1f}, mean {mark.severity_mean:.1f}"
    return "\n".join(part for part in (f"{number} {outcome}{overlap}", f"{_type(mark, 18)}{truly}", severity) if part)


def _bar(fig: Figure, axes: Axes, shade: AxesImage | None) -> None:
    assert shade is not None  # the whole image is drawn with its severity
    bar = fig.colorbar(shade, ax=axes, fraction=0.035, pad=0.015, ticks=range(0, 13, 3))
    bar.solids.set_alpha(1)  # type: ignore[union-attr]
    bar.ax.tick_params(labelsize=8, colors=QUIET, length=2)
    bar.set_label("severity", fontsize=8.5, color=QUIET)
    bar.outline.set_visible(False)  # type: ignore[operator]

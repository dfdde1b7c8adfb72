"""An image with its annotated defects, and beside it under each heat map with the boxes that were found.

Shapes: H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from glassline.report.style import BRIGHT, INK, QUIET, new_figure, plain
from glassline.vision.annotated_images import Annotated, Image
from glassline.vision.heat_map import Box, HeatMap, middles

_FOUND, _TRUTH = BRIGHT[0], BRIGHT[2]
# Without its darkest third, that dark images would swallow.
_HEAT = LinearSegmentedColormap.from_list("heat", colormaps["magma"](np.linspace(0.32, 1, 256)))
_LONGEST_PX = 900
_NAMED = 8  # the hottest


@dataclass(frozen=True)
class HeatPanel:
    """A heat map to draw.

    Attributes:
        name: What it is made of, one line.
        heat: Heat, 0 to 1; what is above is drawn as 1.
        threshold: Heat from which boxes were made.
        boxes: Boxes that were found.
    """

    name: str
    heat: HeatMap
    threshold: float
    boxes: Sequence[Box]


def heat_map_figure(image: Image, panels: Sequence[HeatPanel], annotated: Annotated | None, title: str) -> Figure:
    """Draw an image, and the same under each heat map with the boxes found; annotated defects are outlined.

    Args:
        image: Grey (H, W) or red, green, blue (H, W, 3), 0 to 255; shown at 900 px at most.
        panels: Heat maps, one or more.
        annotated: Its defects, None where they are not known.
        title: One line.
    """
    height, width = image.shape[:2]
    panel_in = 4.6
    high_in = float(np.clip(panel_in * height / width, 1.2, 9))
    fig = new_figure(panel_in * (1 + len(panels)) + 0.7, high_in + 1.0)
    first, *others = fig.subplots(1, 1 + len(panels), squeeze=False)[0]
    _draw(first, image)
    _truth(first, annotated)
    first.set_title("image", fontsize=9, color=INK, loc="left", pad=4)
    shade: AxesImage | None = None
    for axes, panel in zip(others, panels, strict=True):
        _draw(axes, image)
        shade = _heat(axes, panel.heat)
        _truth(axes, annotated)
        _boxes(axes, panel.boxes, max(height, width))
        axes.set_title(f"{plain(panel.name, 40)}, boxes from {panel.threshold:.2f}", fontsize=9, color=INK, loc="left",
                       pad=4)  # fmt: skip
    if shade is not None:
        _bar(fig, others, shade)
    fig.suptitle(plain(title, 120), fontsize=10.5, color=INK, x=0.01, ha="left")
    handles = [Line2D([], [], color=_FOUND, linewidth=2.2, label="found, with highest heat")]
    if annotated is not None:
        handles.append(Line2D([], [], color=_TRUTH, linewidth=2.2, label=f"annotated ({len(annotated.labels)})"))
    fig.legend(handles=handles, loc="outside lower right", ncols=2, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def _draw(axes: Axes, image: Image) -> None:
    """Draw an image with ticks in px of the image, whatever size is shown."""
    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    shown_px = max(1, round(width * scale)), max(1, round(height * scale))
    shown = image if scale == 1 else cv2.resize(image, shown_px, interpolation=cv2.INTER_AREA)
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=_extent(height, width), interpolation="nearest")
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    axes.spines[:].set_visible(False)


def _extent(height: int, width: int) -> tuple[float, float, float, float]:
    return -0.5, width - 0.5, height - 0.5, -0.5


def _heat(axes: Axes, heat: HeatMap) -> AxesImage:
    """Draw heat over an image at the size that is shown: what is cold stays clear."""
    step = -(-max(heat.size_px) // _LONGEST_PX)
    height, width = (-(-size // step) * step for size in heat.size_px)
    shown = np.clip(heat.at(*(middles(size, step) for size in heat.size_px)), 0, 1)
    return axes.imshow(
        shown, cmap=_HEAT, norm=Normalize(0, 1), alpha=0.7 * shown**0.75, extent=_extent(height, width),
        interpolation="nearest",
    )  # fmt: skip


def _truth(axes: Axes, annotated: Annotated | None) -> None:
    """Draw the outline of annotated defects; of those that fill the image its rim."""
    if annotated is None or not annotated.mask_HW.any():
        return
    mask_HW = annotated.mask_HW.astype(np.uint8)
    # One clean pixel around, or what reaches the rim has no outline there.
    outlines, _ = cv2.findContours(np.pad(mask_HW, 1), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    for outline in outlines:
        x_n, y_n = np.vstack([outline, outline[:1]])[:, 0].T - 1
        axes.plot(x_n, y_n, color=_TRUTH, linewidth=1.3, scalex=False, scaley=False)


def _boxes(axes: Axes, boxes: Sequence[Box], longest_px: int) -> None:
    rim = [withStroke(linewidth=3.2, foreground="black", alpha=0.55)]
    for number, box in enumerate(boxes):
        x, y, width, height = box.bbox_px
        drawn = Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=_FOUND, linewidth=1.8)
        axes.add_patch(drawn).set(path_effects=rim)
        if number >= _NAMED:
            continue
        # A box at the top is named inside, or its name would lie in the title.
        under = y < longest_px / 15
        axes.annotate(
            f"{box.probability_max:.2f}", (x, y), xytext=(3, -3 if under else 2), textcoords="offset points",
            va="top" if under else "bottom", fontsize=8, color="white",
            path_effects=[withStroke(linewidth=2.2, foreground="black")],
        )  # fmt: skip


def _bar(fig: Figure, axes: Sequence[Axes], shade: AxesImage) -> None:
    bar = fig.colorbar(shade, ax=list(axes), fraction=0.035, pad=0.015, ticks=[0, 0.5, 1])
    bar.solids.set_alpha(1)  # type: ignore[union-attr]
    bar.ax.tick_params(labelsize=8, colors=QUIET, length=2)
    bar.set_label("heat", fontsize=8.5, color=QUIET)
    bar.outline.set_visible(False)  # type: ignore[operator]

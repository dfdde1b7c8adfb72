"""One look for every figure: white ground, few lines, colours that the colour-blind can tell apart.

Source: Okabe and Ito 2008 for the palette; beyond its eight colours, Tol 2021 (muted).
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

INK, QUIET, RULE = "#1b1f24", "#5c6670", "#d5dae0"
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9",
    "#882255", "#999933", "#332288", "#44aa99", "#aa4499", "#666666",
)  # fmt: skip
#: The same idea on grey images, where dark colours drown.
BRIGHT = ("#56b4e9", "#ffb000", "#3ddc97", "#ff7a45", "#f2a6d0", "#f7ef66", "#b69cff", "#ffffff")
#: Colour and dash of what became of a defect. Both tell: blue, orange and yellow stay apart for the colour-blind.
LOOKS: dict[str, tuple[str, Literal["-", "--", ":"]]] = {
    "miss": (BRIGHT[3], "--"), "false alarm": (BRIGHT[5], ":"), "hit": (BRIGHT[0], "-"), "found": (BRIGHT[0], "-")
}  # fmt: skip
_LONGEST = 22


def colours(names: Iterable[str], palette: Sequence[str] = PALETTE) -> dict[str, str]:
    """Return a colour per name in the order given; they repeat when the palette ends."""
    return {name: palette[index % len(palette)] for index, name in enumerate(dict.fromkeys(names))}


def plain(name: object, longest: int = _LONGEST) -> str:
    """Return a name that draws as it is written: one line, shortened, dollar signs not taken for formulas."""
    text = " ".join(str(name).split())
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.replace("$", r"\$")


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure; it is not registered with pyplot, so it is freed with its last reference."""
    return Figure(figsize=(width_in, height_in), layout="constrained", facecolor="white")


def tidy(axes: Axes, title: str = "", x: str = "", y: str = "", grid: str = "") -> None:
    """Give axes the common look.

    Args:
        axes: Axes to change.
        title: Title at the left, or none.
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        grid: Axis that gets thin lines: `x`, `y` or none.
    """
    if title:
        axes.set_title(plain(title, 80), loc="left", fontsize=11, fontweight="bold", color=INK, pad=8)
    axes.set_xlabel(x, fontsize=9.5, color=QUIET)
    axes.set_ylabel(y, fontsize=9.5, color=QUIET)
    axes.tick_params(colors=INK, labelsize=9, length=0 if grid else 3, width=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    if grid:
        axes.grid(axis=grid, color=RULE, linewidth=0.7)  # type: ignore[arg-type]
        axes.set_axisbelow(True)


def whole_numbers(axes: Axes) -> None:
    """Put ticks of the horizontal axis on whole numbers only, for epochs."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def name_cells(axes: Axes, names: Sequence[str]) -> None:
    """Name rows and columns of a square matrix, and draw white lines between its cells."""
    count = len(names)
    long = max(map(len, names)) * count > 60
    axes.set_xticks(range(count), names, rotation=35 if long else 0, ha="right" if long else "center")
    axes.set_yticks(range(count), names)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def blank(axes: Axes, message: str = "") -> None:
    """Hide frame and ticks, and say why nothing is drawn."""
    axes.set_axis_off()
    if message:
        axes.text(0.5, 0.5, message, ha="center", va="center", color=QUIET, fontsize=10, transform=axes.transAxes)


def outcome_legend(fig: Figure, outcomes: Sequence[str], truth: tuple[str, str] | None) -> None:
    """Tell below a figure how many marks of each outcome it shows.

    Args:
        fig: The figure.
        outcomes: That of each mark: hit, miss or false alarm, or `found` where no truth is known.
        truth: What the outline of what is true is called, and its colour; None where no truth is known.
    """
    handles = []
    for outcome in ("hit", "miss", "false alarm") if truth else ("found",):
        colour, dash = LOOKS[outcome]
        label = f"{outcome} ({outcomes.count(outcome)})"
        handles.append(Line2D([], [], color=colour, linestyle=dash, linewidth=2.2, label=label))
    if truth:
        handles.append(Line2D([], [], color=truth[1], linewidth=2.2, label=truth[0]))
    fig.legend(handles=handles, loc="outside lower right", ncols=4, fontsize=8.5, frameon=False, labelcolor=INK)

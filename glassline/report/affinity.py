"""Affinity of sources for targets, how far measured gains bear it out, and what was chosen by it.

Shapes: S sources, T targets.
"""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from glassline.analysis.affinity import Affinity, rank_correlation
from glassline.analysis.source_selection import Selection
from glassline.report.style import INK, QUIET, blank, colours, new_figure, plain, tidy

_LONGEST = 38
_CHOSEN, _LEFT_OUT = "#0072b2", "#c9d1d9"
# Sources whose names are written beside their points.
_NAMED = 12


def affinity_figure(affinity: Affinity) -> Figure:
    """Draw affinities as shades, a row per source and a column per target, the most helpful source first.

    Each column sums to 1. A source that was not compared, being the target's own, has a dash.
    """
    order_S = np.argsort(-affinity.weight_ST.sum(axis=1), kind="stable")
    weight_ST = affinity.weight_ST[order_S]
    names = [_short(affinity.sources[index]) for index in order_S]
    sources, targets = weight_ST.shape
    fig = new_figure(_names_in(names) + max(3.6, 1.3 * targets + 0.4), 1.5 + 0.29 * max(sources, 2))
    axes = fig.add_subplot()
    axes.imshow(weight_ST, cmap="Blues", vmin=0, vmax=weight_ST.max(), aspect="auto")
    for (row, column), weight in np.ndenumerate(weight_ST):
        told = f"{weight:.3f}" if weight else "–"
        ink = "white" if weight > 0.6 * weight_ST.max() else (INK if weight else QUIET)
        axes.text(column, row, told, ha="center", va="center", color=ink, fontsize=8.5)
    tidy(axes, "Affinity of sources")
    axes.set_yticks(range(sources), names)
    ends = [
        f"{plain(name, 18)}\nCR {ratio:.2f}"
        for name, ratio in zip(affinity.targets, affinity.consistency_T, strict=True)
    ]
    axes.set_xticks(range(targets), ends)
    axes.set_xlabel("target, and consistency ratio of its comparisons", fontsize=8.5, color=QUIET)
    axes.set_yticks(np.arange(sources + 1) - 0.5, minor=True)
    axes.set_xticks(np.arange(targets + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    return fig


def gain_figure(affinity: Affinity) -> Figure:
    """Draw the measured gain of transfer over affinity, a colour per target, with Spearman's correlation of each."""
    table = affinity.to_frame().dropna(subset=["gain"])
    fig = new_figure(7.2, 4.6)
    axes = fig.add_subplot()
    if not len(table):
        blank(axes, "no gain was measured")
        return fig
    tint, handles = colours(affinity.targets), []
    correlation = rank_correlation(affinity, affinity.gain_ST).set_index("target")["spearman"]
    axes.axhline(0, color=QUIET, linewidth=1)
    for target, rows in table.groupby("target", sort=False):
        name = str(target)
        axes.scatter(rows["affinity"], rows["gain"], s=42, color=tint[name], edgecolor="white", linewidth=0.7, zorder=3)
        handles.append(_target(f"{plain(name)}: Spearman {_told(correlation[name])}", tint[name]))
    if len(table) <= _NAMED:
        _name_points(axes, table)
    title = "Measured gain over affinity"
    if len(handles) > 1:
        title += f" · Spearman of all {_told(correlation['all'])}"
    tidy(axes, title, "affinity", "fall of the log loss with the source (gain)", grid="y")
    axes.margins(y=0.12)
    axes.set_xlim(0, 1.12 * table["affinity"].max())
    fig.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def selection_figure(selection: Selection) -> Figure:
    """Draw samples and affinity of every source, the chosen ones first, and how much of the budget they take."""
    weight_S = selection.affinity.weight_ST.sum(axis=1)
    order_S = np.lexsort((-weight_S, ~selection.chosen_S))
    names = [_short(selection.affinity.sources[index]) for index in order_S]
    tint = [_CHOSEN if selection.chosen_S[index] else _LEFT_OUT for index in order_S]
    fig = new_figure(_names_in(names) + 7.0, 2.1 + 0.27 * max(len(names), 3))
    samples, affinities = fig.subplots(1, 2, sharey=True, width_ratios=[1.6, 1])
    taken_S, place_S = selection.samples_S[order_S], np.arange(len(names))
    # Chosen sources are stacked from left to right: the last ends where the budget is used up to.
    ends_S = np.where(selection.chosen_S[order_S], np.cumsum(taken_S * selection.chosen_S[order_S]), taken_S)
    samples.barh(place_S, taken_S, left=ends_S - taken_S, color=tint, height=0.72)
    budget = selection.settings.budget
    widest = max(int(ends_S.max()), budget if budget <= 3 * ends_S.max() else 0)
    for place, end, number in zip(place_S, ends_S, taken_S, strict=True):
        # Before bars that end far to the right: the budget's line is there.
        before = end > 0.6 * widest and end - number > 0.15 * widest
        samples.annotate(f"{number:,}", (end - number if before else end, place), xytext=(-4 if before else 4, 0),
                         textcoords="offset points", ha="right" if before else "left", va="center", fontsize=8,
                         color=INK, path_effects=[withStroke(linewidth=3, foreground="white")])  # fmt: skip
    tidy(samples, f"{selection.samples:,} samples of a budget of {budget:,}",
         "samples; chosen sources one after the other", grid="x")  # fmt: skip
    samples.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    samples.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    samples.set_xlim(0, widest * 1.13)
    if budget <= widest:
        samples.axvline(budget, color=INK, linewidth=1.2, linestyle="--")
    samples.set_yticks(place_S, names)
    samples.set_ylim(len(names) - 0.5, -0.5)
    affinities.barh(place_S, weight_S[order_S], color=tint, height=0.72)
    targets = len(selection.affinity.targets)
    affinities.xaxis.set_major_locator(MaxNLocator(4))
    tidy(affinities, f"Coverage {_covered(selection)}", "affinity" + (f", sum of {targets} targets" * (targets > 1)),
         grid="x")  # fmt: skip
    affinities.tick_params(labelleft=False)
    handles: list[Artist] = [Patch(color=_CHOSEN, label="chosen"), Patch(color=_LEFT_OUT, label="left out")]
    if budget <= widest:
        handles.append(Line2D([], [], color=INK, linestyle="--", linewidth=1.2, label="budget"))
    fig.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def _covered(selection: Selection) -> str:
    low, high = selection.coverage_T.min(), selection.coverage_T.max()
    return f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"


def _name_points(axes: Axes, table: pd.DataFrame) -> None:
    """Write names beside points, to the side that has more room."""
    middle = (table["affinity"].min() + table["affinity"].max()) / 2
    for row in table.itertuples():
        left = row.affinity > middle
        axes.annotate(_short(str(row.source)), (row.affinity, row.gain), xytext=(-7 if left else 7, 0), va="center",
                      ha="right" if left else "left", textcoords="offset points", fontsize=8, color=QUIET)  # fmt: skip


def _target(label: str, colour: str) -> Line2D:
    return Line2D([], [], color=colour, marker="o", linestyle="", markersize=6, label=label)


def _told(correlation: float) -> str:
    return "not defined" if np.isnan(correlation) else f"{correlation:.2f}"


def _short(name: str) -> str:
    """Return a name that keeps both ends, product and class, when it is long."""
    half = _LONGEST // 2
    return plain(name if len(name) <= _LONGEST else f"{name[: half - 1]}…{name[-half:]}", _LONGEST)


def _names_in(names: list[str]) -> float:
    """Return the width that names take, in inches."""
    return 0.075 * max(map(len, names))

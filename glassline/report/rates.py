"""Curves over the threshold of a segmentation: precision and recall, missed and rejected glasses.

Both take one curve per method; a method keeps its colour by its place.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from glassline.analysis.operating_point import ErrorRates
from glassline.errors import DataError
from glassline.report.style import INK, QUIET, RULE, blank, colours, new_figure, plain, tidy

_F1_LINES = (0.2, 0.4, 0.6, 0.8)
_RATES = (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)
_LONGEST = 34


def pr_figure(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw precision over recall, lines of equal F1 behind, and the best F1 of each method.

    Args:
        curves: Name of the method to `threshold`, `precision` and `recall` in [0, 1]; what is not defined is NaN.

    Raises:
        DataError: A column is missing.
    """
    known = _known(curves, ("threshold", "precision", "recall"))
    fig = new_figure(6.4, 5.2)
    axes = fig.add_subplot()
    if not known:
        blank(axes, "no precision to show")
        return fig
    for f1 in _F1_LINES:
        recall_N = np.linspace(f1 / (2 - f1), 1, 100)
        axes.plot(recall_N, f1 * recall_N / (2 * recall_N - f1), color=RULE, linewidth=0.8, zorder=0)
        axes.annotate(f"F1 {f1:g}", (1, f1 / (2 - f1)), xytext=(4, 0), textcoords="offset points", fontsize=8,
                      color=QUIET, va="center")  # fmt: skip
    tint = colours(curves)
    for name, rows in known.items():
        both = rows["precision"] + rows["recall"]
        f1_N = (2 * rows["precision"] * rows["recall"] / both.where(both > 0)).fillna(0).to_numpy()
        best = rows.iloc[int(f1_N.argmax())]
        label = f"{plain(name, _LONGEST)}: F1 {f1_N.max():.3f} at {best['threshold']:.2f}"
        axes.plot(rows["recall"], rows["precision"], color=tint[name], linewidth=1.9, label=label)
        axes.plot(best["recall"], best["precision"], "o", color=tint[name], markersize=6, markeredgecolor="white")
    tidy(axes, "Pixels: precision over recall", "recall", "precision")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    fig.legend(loc="outside lower left", ncols=2, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def trade_off_figure(curves: Mapping[str, pd.DataFrame], chosen: Mapping[str, ErrorRates]) -> Figure:
    """Draw the rate of missed glasses over that of rejected clean ones, and what was chosen with its intervals.

    The axes are drawn by the square root, so that low rates, which matter, get the room.

    Args:
        curves: Name of the method to `threshold`, `fn_rate` and `fp_rate` in [0, 1]; what is not defined is NaN.
        chosen: Name of the method to its errors at the chosen threshold, with 95 % intervals.

    Raises:
        DataError: A column is missing.
    """
    known = _known(curves, ("threshold", "fn_rate", "fp_rate"))
    points = {name: one for name, one in chosen.items() if np.isfinite([one.fn_rate, one.fp_rate]).all()}
    fig = new_figure(6.4, 5.4)
    axes = fig.add_subplot()
    if not known and not points:
        blank(axes, "needs defective and clean glasses")
        return fig
    tint = colours([*curves, *points])
    for name, rows in known.items():
        # Between two thresholds nothing changes: a staircase, of which the safe corner is drawn.
        rows = rows.sort_values("threshold")
        axes.step(
            rows["fp_rate"], rows["fn_rate"], where="pre", color=tint[name], linewidth=1.9, label=plain(name, _LONGEST)
        )
    for name, one in points.items():
        _point(axes, one, tint[name], "" if name in known else plain(name, _LONGEST))
    tidy(
        axes,
        "Missed against falsely rejected",
        "clean rejected (false positives)",
        "defective passed (false negatives)",
    )
    _by_root(axes)
    handles = axes.get_legend_handles_labels()[0]
    if points:
        handles.append(Line2D([], [], color=QUIET, marker="o", linewidth=1.3, label="chosen, with its 95 % interval"))
    fig.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def _known(curves: Mapping[str, pd.DataFrame], columns: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return each curve that has a defined point, without the others."""
    for name, rows in curves.items():
        missing = [column for column in columns if column not in rows.columns]
        if missing:
            raise DataError(f"curve {name} must have {', '.join(columns)}, missing: {', '.join(missing)}")
    dropped = {name: rows.dropna(subset=list(columns)) for name, rows in curves.items()}
    return {name: rows for name, rows in dropped.items() if len(rows)}


def _point(axes: Axes, one: ErrorRates, colour: str, label: str) -> None:
    x_error = [[max(0, one.fp_rate - one.fp_low)], [max(0, one.fp_high - one.fp_rate)]]
    y_error = [[max(0, one.fn_rate - one.fn_low)], [max(0, one.fn_high - one.fn_rate)]]
    axes.errorbar(
        one.fp_rate, one.fn_rate, xerr=x_error, yerr=y_error, fmt="o", color=colour, markersize=7, elinewidth=1.3,
        markeredgecolor="white", capsize=3, zorder=3, clip_on=False, label=label or None,
    )  # fmt: skip


def _by_root(axes: Axes) -> None:
    for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        scale("function", functions=(lambda rate: np.sqrt(np.maximum(rate, 0)), np.square))
        axis.set_major_locator(FixedLocator(list(_RATES)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axis.grid(color=RULE, linewidth=0.7)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_axisbelow(True)

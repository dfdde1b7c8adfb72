"""A search for settings as figures: scores in the order of trials, what matters, scores over each setting."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassline.report.style import INK, PALETTE, QUIET, new_figure, plain, tidy, whole_numbers

_COLUMNS = 4
_DOT, _BEST = PALETTE[0], PALETTE[3]


def history_figure(trials: pd.DataFrame, objective: str) -> Figure:
    """Draw every trial's score and the best one so far; pruned and failed trials are ticks on the axis.

    Args:
        trials: One row per trial in their order: state (`complete`, `pruned`, `failed`) and score in [0, 1].
        objective: Name of the score.
    """
    fig = new_figure(7.6, 3.6)
    axes, place_N = fig.add_subplot(), np.arange(1, len(trials) + 1)
    score_N = trials["score"].to_numpy(np.float64)
    axes.plot(place_N, score_N, "o", color=_DOT, markersize=5, label="trial")
    best_N = np.fmax.accumulate(score_N)
    axes.plot(place_N, best_N, drawstyle="steps-post", color=_BEST, linewidth=1.8, label="best so far")
    for state, mark in (("pruned", "|"), ("failed", "x")):
        at = place_N[trials["state"] == state]
        if len(at):
            axes.plot(at, np.zeros(len(at)), mark, color=QUIET, markersize=8, label=f"{state}, no score",
                      transform=axes.get_xaxis_transform(), clip_on=False)  # fmt: skip
    tidy(axes, f"{_named(objective)} of each trial", "trial", "", grid="y")
    whole_numbers(axes)
    fig.legend(fontsize=8.5, frameon=False, labelcolor=INK, loc="outside lower center", ncols=4)
    return fig


def importance_figure(importances: Mapping[str, float]) -> Figure:
    """Draw how much of the scores' variance each setting explains.

    Args:
        importances: Setting to its share in [0, 1].
    """
    ordered = sorted(importances.items(), key=lambda one: one[1])
    fig = new_figure(7.6, 1.2 + 0.34 * len(ordered))
    axes = fig.add_subplot()
    axes.barh([plain(name, 40) for name, _ in ordered], [share for _, share in ordered], color=_DOT, height=0.6)
    for row, (_, share) in enumerate(ordered):
        axes.annotate(f"{share:.2f}", (share, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9,
                      color=INK)  # fmt: skip
    tidy(axes, "what matters: share of the scores' variance (fANOVA)", "", "", grid="x")
    axes.margins(x=0.1)
    return fig


def slice_figure(trials: pd.DataFrame, names: Sequence[str], log: Sequence[str], objective: str) -> Figure:
    """Draw the scores of complete trials over each setting, the best one ringed.

    Args:
        trials: One row per trial: state, score and a column per setting.
        names: Settings to draw.
        log: Those whose axis is logarithmic.
        objective: Name of the score.
    """
    complete = trials[trials["state"] == "complete"]
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    fig = new_figure(2.9 * columns + 0.4, 2.5 * rows + 0.3)
    grid = np.atleast_1d(fig.subplots(rows, columns, sharey=True, squeeze=False)).ravel()
    for axes, name in zip(grid, names, strict=False):
        _slice(axes, complete, name, name in log)
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    fig.suptitle(f"{_named(objective)} over each setting", x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    return fig


def _slice(axes: Axes, complete: pd.DataFrame, name: str, log: bool) -> None:
    score_N, value_N = complete["score"].to_numpy(np.float64), complete[name]
    best = int(score_N.argmax())
    if pd.api.types.is_float_dtype(value_N):
        at_N = value_N.to_numpy(np.float64)
        if log:
            axes.set_xscale("log")
    else:
        known = sorted(value_N.unique().tolist(), key=lambda one: (isinstance(one, str), one))
        at_N = np.array([known.index(one) for one in value_N], np.float64)
        axes.set_xticks(range(len(known)), [plain(one, 12) for one in known])
        axes.set_xlim(-0.5, len(known) - 0.5)
    axes.scatter(at_N, score_N, s=22, color=_DOT, alpha=0.7, linewidth=0)
    axes.scatter(at_N[best], score_N[best], s=70, facecolor="none", edgecolor=_BEST, linewidth=1.8)
    tidy(axes, "", plain(name, 40), "", grid="y")


def _named(objective: str) -> str:
    return objective.replace("_", " ").replace("f1", "F1").replace("iou", "IoU")

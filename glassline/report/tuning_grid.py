"""Every combination of some settings as a figure: the paper's tuning figure.

Source: system A of the reading, Fig. 3 (accuracy over filters, kernel, pool and depth).
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from glassline.report.style import INK, PALETTE, QUIET, new_figure, plain, tidy

_DOT, _MEAN, _BEST = PALETTE[5], PALETTE[0], PALETTE[3]


def grid_figure(trials: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw accuracy grouped by each setting, and below it the accuracy of every combination.

    Args:
        trials: One row per combination: `accuracy` in [0, 1], NaN where it failed, and a column per setting.
        names: The settings. The first two are rows and columns of the tables, the others tell the tables apart.
    """
    values = {name: sorted(trials[name].unique().tolist()) for name in names}
    across, down = names[1] if len(names) > 1 else None, names[0]
    tables = list(itertools.product(*(values[name] for name in names[2:])))
    columns = len(values[names[-1]]) if len(names) > 2 else 1
    below_in = (1.1 + 0.36 * len(values[down])) * -(-len(tables) // columns)
    fig = new_figure(9.6, 3.0 + below_in)
    top, bottom = np.asarray(fig.subfigures(2, 1, height_ratios=[3.0, below_in]))
    for axes, name in zip(np.atleast_1d(top.subplots(1, len(names), sharey=True)), names, strict=True):
        _grouped(axes, trials, name, values[name])
    top.suptitle("accuracy of every combination, grouped by each setting; line: mean", x=0.01, ha="left", fontsize=11,
                 fontweight="bold", color=INK)  # fmt: skip
    if across:
        _tables(bottom, trials, names, values, tables, columns)
    return fig


def _grouped(axes: Axes, trials: pd.DataFrame, name: str, known: list[object]) -> None:
    place = trials[name].map({value: index for index, value in enumerate(known)}).to_numpy(np.float64)
    # Spread by rank, not at random: the same scores always give the same picture.
    spread = trials.groupby(name).cumcount().to_numpy() / max(trials.groupby(name).size().max() - 1, 1) - 0.5
    axes.scatter(place + 0.4 * spread, trials["accuracy"], s=16, color=_DOT, alpha=0.8, linewidth=0)
    mean = trials.groupby(name)["accuracy"].mean().reindex(known)
    axes.plot(range(len(known)), mean, "o-", color=_MEAN, linewidth=1.9, markersize=5)
    for index, value in enumerate(mean):
        axes.annotate(f"{value:.3f}", (index, value), xytext=(0, 8), textcoords="offset points", ha="center",
                      fontsize=8.5, color=INK, bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1},
                      )  # fmt: skip
    axes.set_xticks(range(len(known)), [plain(value) for value in known])
    axes.set_xlim(-0.5, len(known) - 0.5)
    tidy(axes, "", plain(name), "", grid="y")


def _tables(
    figure: SubFigure, trials: pd.DataFrame, names: Sequence[str], values: Mapping[str, list[Any]],
    tables: Sequence[tuple[Any, ...]], columns: int,
) -> None:  # fmt: skip
    """Draw a table per combination of the settings behind the first two; the best cell is framed."""
    down, across, *others = names
    low, high = trials["accuracy"].min(), trials["accuracy"].max()
    grid = figure.subplots(len(tables) // columns, columns, sharex=True, sharey=True, squeeze=False)
    for axes, table in zip(grid.ravel(), tables, strict=True):
        rows = trials
        for name, value in zip(others, table, strict=True):
            rows = rows[rows[name] == value]
        cells_RC = rows.pivot_table("accuracy", down, across, dropna=False).reindex(values[down])[values[across]]
        axes.imshow(cells_RC, cmap="Blues", vmin=low - (high - low) / 2 - 1e-6, vmax=high, aspect="auto")
        _cells(axes, cells_RC, low, high)
        tidy(axes)
        told = ", ".join(f"{plain(name)} {value}" for name, value in zip(others, table, strict=True))
        axes.set_title(told, fontsize=9, color=QUIET)
        axes.set_xticks(range(len(values[across])), [str(value) for value in values[across]])
        axes.set_yticks(range(len(values[down])), [str(value) for value in values[down]])
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    figure.supylabel(plain(down), fontsize=9.5, color=QUIET)
    figure.supxlabel(plain(across), fontsize=9.5, color=QUIET)


def _cells(axes: Axes, cells_RC: pd.DataFrame, low: float, high: float) -> None:
    """Write the accuracy into each cell, and frame the best."""
    for (row, column), value in np.ndenumerate(cells_RC.to_numpy()):
        told, best = "–" if np.isnan(value) else f"{value:.3f}".removeprefix("0"), value == high
        axes.text(column, row, told, ha="center", va="center", fontsize=8.5,
                  color="white" if value > (low + high) / 2 else INK, fontweight="bold" if best else "normal",
                  )  # fmt: skip
        if best:
            axes.add_patch(Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, edgecolor=_BEST, linewidth=2))

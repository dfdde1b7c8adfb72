"""Distances of held-out samples to the nearest reference of their own and of another class, as a figure."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glassline.report.style import INK, colours, new_figure, plain, tidy

_COLUMNS = 4


def separation_figure(apart: pd.DataFrame) -> Figure:
    """Draw one panel per class: above the diagonal, a sample is nearer to its own class.

    Args:
        apart: One row per sample: label, and the distances own and other, >= 0; rows with an infinite one are left out.
    """
    apart = apart.replace(np.inf, np.nan).dropna()
    names = sorted(apart["label"].unique())
    tint, columns = colours(names), min(_COLUMNS, max(len(names), 1))
    rows = -(-max(len(names), 1) // columns)
    fig = new_figure(2.9 * columns + 0.6, 2.9 * rows + 0.3)
    largest = float(apart[["own", "other"]].to_numpy().max()) * 1.05 if len(apart) else 1.0
    for axes, name in zip(
        np.ravel(fig.subplots(rows, columns, squeeze=False)), [*names, *[""] * columns], strict=False
    ):
        told = apart[apart["label"] == name]
        if told.empty:
            axes.set_axis_off()
            continue
        axes.plot([0, largest], [0, largest], color=INK, linewidth=0.8, linestyle=":")
        axes.scatter(told["own"], told["other"], s=9, alpha=0.55, linewidths=0, color=tint[str(name)])
        share = float((told["own"] < told["other"]).mean())
        tidy(axes, f"{plain(name)}: {share:.0%} of {len(told)}", "to own class", "to another class")
        axes.set_xlim(0, largest)
        axes.set_ylim(0, largest)
        axes.set_aspect("equal")
    fig.suptitle(
        "Nearest reference of held-out samples; nearer to their own class above the line", fontsize=11, color=INK
    )
    return fig

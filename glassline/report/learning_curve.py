"""Accuracy against the amount of data, as a figure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from glassline.errors import DataError
from glassline.report.style import INK, colours, new_figure, plain, tidy

_SCORES = {"accuracy": "accuracy", "macro_f1": "macro F1"}


def learning_curve_figure(curve: pd.DataFrame) -> Figure:
    """Draw each method's scores over images per class: the mean over folds, and the quartiles as a band.

    Args:
        curve: One row per model, number and fold: model, per_class, fold, accuracy and macro_f1 in [0, 1].

    Raises:
        DataError: A column is missing, or there is no row.
    """
    missing = {"model", "per_class", *_SCORES} - set(curve.columns)
    if missing or curve.empty:
        raise DataError(
            f"a learning curve must have model, per_class, accuracy and macro_f1, missing: {sorted(missing)}"
        )
    tint, numbers = colours(curve["model"]), sorted(curve["per_class"].unique())
    fig = new_figure(10.4, 4.4)
    for axes, (score, title) in zip(np.atleast_1d(fig.subplots(1, 2)), _SCORES.items(), strict=True):
        for name, rows in curve.groupby("model", sort=False):
            told = rows.groupby("per_class")[score].quantile(np.array([0.25, 0.75])).unstack()
            mean = rows.groupby("per_class")[score].mean()
            axes.plot(mean.index, mean, "o-", color=tint[str(name)], linewidth=1.9, markersize=4.5, label=plain(name))
            axes.fill_between(told.index, told[0.25], told[0.75], color=tint[str(name)], alpha=0.13, linewidth=0)
        over_amounts(axes, title, "images of a class to train on", numbers)
    handles, labels = axes.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=9, frameon=False, labelcolor=INK)
    return fig


def over_amounts(axes: Axes, title: str, amount: str, numbers: Sequence[float]) -> None:
    """Lay axes out for scores, 0 to 1, over amounts of data: logarithmic, a tick at each amount.

    Args:
        axes: Axes that the curves are drawn on.
        title: What is drawn.
        amount: What there is more of to the right.
        numbers: Amounts that were tried.
    """
    tidy(axes, title, amount, "", grid="y")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(numbers))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{number:g}" for number in numbers])
    axes.set_ylim(0, 1.02)

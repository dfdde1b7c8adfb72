"""What networks tell right that learned from different sources."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from glassline.report.style import INK, colours, new_figure, tidy
from glassline.report.transfer_page import ARMS

_SHARES = {"tpr": "TPR, defective images", "tnr": "TNR, clean images", "average_precision": "average precision"}


def arms_figure(arms: pd.DataFrame) -> Figure:
    """Draw TPR, TNR with their intervals and average precision, one row per network.

    Args:
        arms: One row per network: `arm`, the rates, their `_low` and `_high`; what is not defined is NaN.
    """
    fig = new_figure(7.6, 1.2 + 0.62 * len(arms))
    axes = fig.add_subplot()
    tint = colours(_SHARES.values())
    for place, (name, label) in enumerate(_SHARES.items()):
        y_N = np.arange(len(arms)) + (place - 1) * 0.22
        value_N = arms[name].astype(float).to_numpy()
        if f"{name}_low" in arms:
            low_N, high_N = (arms[f"{name}_{end}"].astype(float).to_numpy() for end in ("low", "high"))
            axes.hlines(y_N, np.where(np.isnan(value_N), np.nan, low_N), high_N, color=tint[label], linewidth=1.6)
        axes.plot(value_N, y_N, "o", color=tint[label], label=label, markersize=6)
    tidy(axes, "Test images and patches told right")
    axes.set_yticks(range(len(arms)), [ARMS[arm] for arm in arms["arm"]])
    axes.set(xlim=(-0.02, 1.02), ylim=(len(arms) - 0.5, -0.5))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    fig.legend(loc="outside lower left", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig

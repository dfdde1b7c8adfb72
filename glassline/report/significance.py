"""Which methods differ, as a figure.

Shapes: M methods.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glassline.report.style import INK, new_figure, plain, tidy

_LEVEL = 0.05
_KEY = "diagonal: accuracy · green: the row is better · orange: worse · grey: no difference at 5 %"
_BETTER, _WORSE, _EVEN = "#009e73", "#d55e00", "#eef1f4"


def significance_figure(p_MM: pd.DataFrame, accuracy_M: pd.Series) -> Figure:
    """Draw p of every pair: green where the row's method is better at the 5 % level, orange where worse, else grey.

    Args:
        p_MM: p of each pair, methods x methods, corrected for their number; NaN on the diagonal.
        accuracy_M: Accuracy of each method on the same samples, 0 to 1.
    """
    names = list(p_MM.index)
    fig = new_figure(max(7.6, 2.4 + 1.05 * len(names)), 1.6 + 0.5 * len(names))
    axes = fig.add_subplot()
    for row, one in enumerate(names):
        for column, other in enumerate(names):
            if one == other:
                told, colour = f"{accuracy_M[one]:.3f}", "white"
            else:
                p = float(p_MM.loc[one, other])
                better = _BETTER if accuracy_M[one] > accuracy_M[other] else _WORSE
                told, colour = ("< .0001" if p < 1e-4 else f"{p:.4f}"), better if p < _LEVEL else _EVEN
            axes.fill_between([column - 0.48, column + 0.48], row - 0.46, row + 0.46, color=colour, linewidth=0)
            ink = "white" if colour in (_BETTER, _WORSE) else INK
            axes.text(column, row, told, ha="center", va="center", color=ink, fontsize=9,
                      fontweight="bold" if one == other else "normal")  # fmt: skip
    tidy(axes, "McNemar p of each pair, Holm-corrected", _KEY)
    axes.set_xticks(np.arange(len(names)), [plain(name) for name in names], rotation=25, ha="right")
    axes.set_yticks(np.arange(len(names)), [plain(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return fig

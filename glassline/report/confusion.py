"""The confusion matrix as a figure.

Shapes: C classes.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassline.errors import DataError
from glassline.report.style import INK, QUIET, name_cells, new_figure, plain, tidy


def confusion_figure(confusion_CC: npt.ArrayLike, classes: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix: counts, and the share of the row as shade and in percent.

    Args:
        confusion_CC: Counts, rows actual, columns predicted.
        classes: Class names in the order of rows and columns.
        title: Title; the accuracy is added to it.

    Raises:
        DataError: The matrix is not square or does not match the classes.
    """
    counts_CC = np.asarray(confusion_CC, np.float64)
    count = len(classes)
    if counts_CC.shape != (count, count) or count == 0:
        raise DataError(
            f"a confusion matrix must be square with one row per class, got {counts_CC.shape} for {count} classes; "
            "pass all classes in the order of its rows"
        )
    total_C = counts_CC.sum(axis=1, keepdims=True)
    share_CC = np.divide(counts_CC, total_C, out=np.zeros_like(counts_CC), where=total_C > 0)
    cell_in = float(np.interp(count, [2, 12], [1.15, 0.66]))
    fig = new_figure(max(4.4, cell_in * count + 2.0), max(3.4, cell_in * 0.82 * count + 1.7))
    axes = fig.add_subplot()
    shade = axes.imshow(share_CC, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    font = float(np.interp(count, [4, 12], [10.5, 7.5]))
    for (row, column), value in np.ndenumerate(counts_CC):
        _cell(axes, row, column, value, share_CC[row, column], font)
    correct = f" · accuracy {np.trace(counts_CC) / counts_CC.sum():.4f}" if counts_CC.sum() else ""
    tidy(axes, f"{title}{correct}", "predicted", "actual")
    name_cells(axes, [plain(name, 16) for name in classes])
    bar = fig.colorbar(shade, ax=axes, fraction=0.04, pad=0.02, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0 %", "50 %", "100 %"], fontsize=8, color=QUIET)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label("share of the actual class", fontsize=8.5, color=QUIET)
    return fig


def _cell(axes: Axes, row: int, column: int, value: float, share: float, font: float) -> None:
    """Write count and percentage into one cell, light on dark."""
    colour = "white" if share > 0.55 else (INK if value else "#a5adb5")
    weight = "bold" if row == column else "normal"
    offset = 0.13 if value else 0.0
    axes.text(column, row - offset, f"{value:g}" if value < 1e5 else f"{value:.2g}", ha="center", va="center",
              color=colour, fontsize=font, fontweight=weight)  # fmt: skip
    if value:
        percent = f"{share:.1%}" if 0.001 <= share < 0.9995 else f"{share:.0%}" if share > 0.5 else "< 0.1%"
        axes.text(column, row + 0.22, percent, ha="center", va="center", color=colour, fontsize=font * 0.78, alpha=0.85)

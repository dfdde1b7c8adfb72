"""Figures that reviewers look at: confusion matrix, training curves, scores over folds.

Each returns a matplotlib figure that belongs to nobody else; `save_figure` writes it. Class and model
names are drawn as they are written, whatever they contain.

Shapes: C classes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.report.overlays import cam_grid, candidates_overlay
from glassline.report.style import INK, QUIET, blank, colours, new_figure, plain, tidy, whole_numbers

__all__ = [
    "cam_grid",
    "candidates_overlay",
    "confusion_figure",
    "curves_figure",
    "fold_box_figure",
    "save_figure",
]

_DPI = 110
_SCORES = {"accuracy": "accuracy", "macro_f1": "macro F1"}


def save_figure(fig: Figure, path: str | Path) -> None:
    """Write a figure as PNG at 110 dots per inch, whole or not at all.

    Raises:
        StorageError: The disk is full or the folder may not be written.
    """
    with written_whole(path) as beside:
        fig.savefig(beside, format="png", dpi=_DPI)


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
    correct = np.trace(counts_CC) / counts_CC.sum() if counts_CC.sum() else float("nan")
    tidy(axes, f"{title} · accuracy {correct:.4f}" if np.isfinite(correct) else title, "predicted", "actual")
    names = [plain(name, 16) for name in classes]
    long = max(map(len, names)) * count > 60
    axes.set_xticks(range(count), names, rotation=35 if long else 0, ha="right" if long else "center")
    axes.set_yticks(range(count), names)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
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


def curves_figure(history: pd.DataFrame) -> Figure:
    """Draw losses and scores over epochs, the mean over folds in full and each fold faintly.

    Args:
        history: One row per epoch with `epoch` and columns of metrics, such as `train_loss`, `val_loss`,
            `val_accuracy`; where there are `model` and `fold`, one row per model, fold and epoch. What was not
            measured is NaN or absent.

    Raises:
        DataError: The column `epoch` or every metric is missing.
    """
    numeric = history.drop(columns=["epoch", "fold", "model"], errors="ignore").select_dtypes("number")
    metrics = [str(name) for name in numeric.columns if numeric[name].notna().any()]
    if "epoch" not in history.columns or not metrics:
        raise DataError(
            f"a history must have the column epoch and at least one metric, got {list(history.columns)}; "
            "train for at least one epoch"
        )
    rows = history.assign(model=history["model"].astype(str) if "model" in history else "", fold=history.get("fold", 0))
    panels = [[name for name in metrics if name.endswith("loss")], [n for n in metrics if not n.endswith("loss")]]
    panels = [panel for panel in panels if panel]
    tint = colours(rows["model"])
    fig = new_figure(5.2 * len(panels), 3.6)
    for axes, panel in zip(np.atleast_1d(fig.subplots(1, len(panels))), panels, strict=True):
        for metric in panel:
            _curves(axes, rows, metric, tint)
        loss = panel[0].endswith("loss")
        named = "loss" if loss else ", ".join(name.removeprefix("val_").replace("_", " ") for name in panel)
        tidy(axes, named, "epoch", "", grid="y")
        whole_numbers(axes)
        axes.margins(x=0.02)
        if rows["epoch"].nunique() == 1:
            axes.set_xlim(rows["epoch"].iloc[0] - 1, rows["epoch"].iloc[0] + 1)
        if loss:
            axes.set_ylim(bottom=0)
        _legend(axes, panel, tint)
    return fig


def _curves(axes: Axes, rows: pd.DataFrame, metric: str, tint: dict[str, str]) -> None:
    dash = "--" if metric.startswith("val_") and metric.endswith("loss") else "-"
    for model, of_model in rows.groupby("model", sort=False):
        known = of_model.dropna(subset=[metric])
        folds = known.groupby("fold", sort=False)
        for _, one in folds if folds.ngroups > 1 else ():
            axes.plot(one["epoch"], one[metric], dash, color=tint[str(model)], linewidth=0.7, alpha=0.25)
        mean = known.groupby("epoch")[metric].mean()
        # A single epoch is a point: a line would draw nothing.
        mark = "o" if len(mean) == 1 else ""
        axes.plot(mean.index, mean, dash, marker=mark, color=tint[str(model)], linewidth=1.9)


def _legend(axes: Axes, panel: Sequence[str], tint: dict[str, str]) -> None:
    """Name models by colour, and training and validation by dash where both are drawn."""
    handles = [Line2D([], [], color=colour, linewidth=2, label=plain(name)) for name, colour in tint.items() if name]
    if len([name for name in panel if name.endswith("loss")]) > 1:
        handles += [
            Line2D([], [], color=QUIET, linestyle="-", linewidth=1.5, label="training"),
            Line2D([], [], color=QUIET, linestyle="--", linewidth=1.5, label="validation"),
        ]
    if handles:
        axes.legend(handles=handles, fontsize=8.5, frameon=False, labelcolor=INK, loc="best")


def fold_box_figure(fold_scores: pd.DataFrame) -> Figure:
    """Draw accuracy and macro F1 of every fold: a box and its points per model, the mean in figures.

    Args:
        fold_scores: One row per model and fold: model, fold, accuracy, macro_f1 in [0, 1].

    Raises:
        DataError: A column is missing.
    """
    missing = {"model", "fold", *_SCORES} - set(fold_scores.columns)
    if missing:
        raise DataError(f"fold scores must have model, fold, accuracy and macro_f1, missing: {sorted(missing)}")
    names = [str(name) for name in fold_scores["model"].unique()]
    fig = new_figure(10.4, 1.3 + 0.55 * max(1, len(names)))
    tint = colours(names)
    for axes, (score, title) in zip(np.atleast_1d(fig.subplots(1, 2, sharey=True)), _SCORES.items(), strict=True):
        if not names:
            blank(axes, "no fold to show")
            continue
        _boxes(axes, fold_scores, score, tint)
        tidy(axes, f"{title} of each fold", grid="x")
        axes.set_yticks(range(len(names)), [plain(name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
    return fig


def _boxes(axes: Axes, fold_scores: pd.DataFrame, score: str, tint: dict[str, str]) -> None:
    for row, (name, colour) in enumerate(tint.items()):
        value_F = fold_scores.loc[fold_scores["model"].astype(str) == name, score].dropna().to_numpy(np.float64)
        if not len(value_F):
            continue
        if len(value_F) > 1:
            axes.boxplot(
                value_F, positions=[row], orientation="horizontal", widths=0.5, showfliers=False, patch_artist=True,
                boxprops={"facecolor": colour, "alpha": 0.22, "linewidth": 0},
                medianprops={"color": colour, "linewidth": 2.2}, whiskerprops={"color": colour, "linewidth": 1.1},
                capprops={"color": colour, "linewidth": 1.1}, manage_ticks=False,
            )  # fmt: skip
        # Spread by rank, not at random: the same scores always give the same picture.
        spread_F = np.linspace(-0.15, 0.15, len(value_F)) if len(value_F) > 1 else np.zeros(1)
        axes.scatter(value_F, row + spread_F, s=18, color=colour, edgecolor="white", linewidth=0.6, zorder=3)
        axes.annotate(f"{value_F.mean():.3f}", (1, row), xycoords=("axes fraction", "data"), xytext=(6, 0),
                      textcoords="offset points", va="center", fontsize=9, color=INK)  # fmt: skip
    axes.annotate("mean", (1, 1), xycoords="axes fraction", xytext=(6, 3), textcoords="offset points", fontsize=8,
                  color=QUIET)  # fmt: skip

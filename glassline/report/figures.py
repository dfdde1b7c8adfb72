"""Figures that reviewers look at: confusion matrix, training curves, scores over folds.

Each returns a matplotlib figure that belongs to nobody else; `save_figure` writes it. Class and model
names are drawn as they are written, whatever they contain.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.report.confusion import confusion_figure
from glassline.report.overlays import cam_grid, candidates_overlay
from glassline.report.style import INK, QUIET, blank, colours, new_figure, plain, tidy, whole_numbers

__all__ = [
    "cam_grid",
    "candidates_overlay",
    "confusion_figure",
    "curves_figure",
    "figure_png",
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


def figure_png(fig: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file at 110 dots per inch."""
    with io.BytesIO() as buffer:
        fig.savefig(buffer, format="png", dpi=_DPI)
        return buffer.getvalue()


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
    losses = [name for name in metrics if name.endswith("loss")]
    panels = [*([losses] if losses else []), *([name] for name in metrics if name not in losses)]
    tint = colours(rows["model"])
    fig = new_figure(max(4.2, 5.8 - 0.6 * len(panels)) * len(panels), 3.6)
    for axes, panel in zip(np.atleast_1d(fig.subplots(1, len(panels))), panels, strict=True):
        for metric in panel:
            _curves(axes, rows, metric, tint)
        loss = panel[0].endswith("loss")
        named = "loss" if loss else panel[0].removeprefix("val_").replace("_", " ")
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

"""Figures of a severity detection: the threshold, hits over IoU, severity beside its label, and images with both."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from glassline.analysis.detection_tables import MEASURES
from glassline.analysis.threshold import FilterThreshold
from glassline.report.confusion import confusion_figure
from glassline.report.detection_overlay import detection_overlay
from glassline.report.detection_result import DetectionResult
from glassline.report.style import INK, PALETTE, QUIET, RULE, blank, colours, new_figure, plain, tidy
from glassline.vision.severity import LARGEST

__all__ = [
    "detection_figures",
    "detection_overlay",
    "hits_figure",
    "severity_figure",
    "severity_labels_figure",
    "threshold_figure",
]

# Wide pale lines lie under narrow dashed ones: where curves are equal, each still shows.
_LINES = ((6.0, "-", 0.45), (3.0, "-", 0.9), (1.5, (0, (4, 3)), 1.0), (1.5, (0, (1, 1.6)), 1.0))
_LONGEST = 40
_TYPES = 8
_SEVERITY_BINS = np.linspace(0, LARGEST, 25)
_TITLES = dict(zip(MEASURES, ("Highest severity", "Mean severity", "Severity summed over px"), strict=True))


def detection_figures(result: DetectionResult, annotated: pd.DataFrame) -> dict[str, Figure]:
    """Return the figures that `detection_sections` looks for, by name, but overlays.

    Args:
        result: What was measured.
        annotated: See `DetectionTables.annotated`; of all four stages.
    """
    figures = {
        "threshold": threshold_figure(result.curve, result.chosen),
        "hits": hits_figure({str(name): rows for name, rows in result.hits.groupby("variant", sort=False)}),
        "severity": severity_figure(annotated, result.severity),
    }
    if len(result.types):
        names = result.types["annotated"].unique().tolist()
        counts = result.types["defects"].to_numpy().reshape(len(names), len(names))
        figures["types"] = confusion_figure(counts, names, "Types of hits")
    return figures


def threshold_figure(curve: pd.DataFrame, chosen: FilterThreshold) -> Figure:
    """Draw mean IoU, and F1 of the pixels, over the threshold of the severity filter, with the one that was chosen.

    Args:
        curve: `threshold`, `mean_iou` and `f1`; see `MeanIouCurve`.
        chosen: The threshold.
    """
    fig = new_figure(6.4, 4.2)
    axes = fig.add_subplot()
    axes.axvline(chosen.threshold, color=PALETTE[3], linewidth=1.4, linestyle="--")
    axes.plot(curve["threshold"], curve["f1"], color=PALETTE[1], linewidth=1.6, linestyle=(0, (5, 2)),
              label="F1 of the pixels of all images")  # fmt: skip
    axes.plot(
        curve["threshold"], curve["mean_iou"], color=PALETTE[0], linewidth=2.2, label="mean IoU (defective images)"
    )
    axes.plot(chosen.threshold, chosen.mean_iou, "o", color=PALETTE[3], markersize=7, markeredgecolor="white", zorder=4)
    tidy(axes, "Threshold of the filter", "threshold T of the severity, 0 to 12", "", grid="y")
    # Beside the title: within the axes it would lie on a curve.
    axes.set_title(f"T = {chosen.threshold:.2f}, mean IoU {chosen.mean_iou:.3f}", loc="right", fontsize=9.5,
                   color=PALETTE[3], pad=8)  # fmt: skip
    axes.set(xlim=(0, LARGEST), ylim=(0, 1), xticks=range(0, 13, 2))
    fig.legend(loc="outside lower left", ncols=2, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def hits_figure(curves: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw recall and precision of defects over the IoU that a hit needs, a curve per variant, four at most.

    Args:
        curves: Name of the variant to `iou`, `recall` and `precision`, see `hit_curve`; what is not defined is NaN.
    """
    fig = new_figure(9.6, 4.3)
    panels = fig.subplots(1, 2, sharey=True)
    tint = colours(curves)
    for axes, name, what in ((panels[0], "recall", "annotated defects hit"),
                             (panels[1], "precision", "found defects that hit")):  # fmt: skip
        for (variant, rows), (width, dash, alpha) in zip(curves.items(), _LINES, strict=False):
            known = rows.dropna(subset=[name])
            axes.plot(known["iou"], known[name], color=tint[variant], linewidth=width, linestyle=dash, alpha=alpha,
                      label=plain(variant, _LONGEST), solid_capstyle="butt")  # fmt: skip
        if all(rows[name].isna().all() for rows in curves.values()):
            blank(axes, f"no {name} to show")
            continue
        axes.axvline(0.5, color=QUIET, linewidth=0.8, linestyle=":", zorder=0)
        tidy(axes, f"{name.capitalize()}: {what}", "IoU that a hit needs", "", grid="y")
        axes.set(xlim=(0, 1), ylim=(0, 1.03))
    handles = panels[0].get_legend_handles_labels()[0] or panels[1].get_legend_handles_labels()[0]
    fig.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK,
               handlelength=3.4)  # fmt: skip
    return fig


def severity_figure(annotated: pd.DataFrame, agreement: pd.DataFrame) -> Figure:
    """Draw predicted over labelled severity of each matched defect, with the rank correlation.

    Args:
        annotated: See `DetectionTables.annotated`.
        agreement: See `severity_agreement`.
    """
    fig = new_figure(12, 4.6)
    common = annotated["type"].value_counts().index[:_TYPES].tolist()
    tint = colours(sorted(common))
    for axes, name in zip(fig.subplots(1, 3), MEASURES, strict=True):
        matched = annotated[annotated["partner"] > 0].dropna(subset=[name, f"other_{name}"])
        missed = annotated[annotated["partner"] == 0].dropna(subset=[name])
        told = agreement[agreement["measure"] == name].iloc[0]
        tidy(axes, _TITLES[name], "labelled", "predicted")
        if not len(matched):
            blank(axes, "no matched defect has a labelled severity")
            continue
        _scale(axes, name, matched)
        axes.text(0.03, 0.97, _correlation(told), transform=axes.transAxes, va="top", fontsize=8.5, color=QUIET)
        for kind, rows in matched.groupby("type"):
            axes.scatter(rows[name], rows[f"other_{name}"], s=22, color=tint.get(str(kind), QUIET), alpha=0.75,
                         edgecolors="white", linewidths=0.5, zorder=3)  # fmt: skip
        # Missed defects have no prediction: ticks on the axis. None at all would have no extent to lay out.
        if len(missed):
            axes.plot(missed[name], np.zeros(len(missed)), "|", color=PALETTE[3], markersize=11, markeredgewidth=1.3,
                      transform=axes.get_xaxis_transform(), clip_on=False, zorder=4)  # fmt: skip
    handles = [Line2D([], [], marker="o", linewidth=0, color=tint[kind], label=plain(kind)) for kind in tint]
    handles.append(Line2D([], [], marker="|", linewidth=0, color=PALETTE[3], markersize=10, markeredgewidth=1.3,
                          label=f"nothing found ({(annotated['partner'] == 0).sum()})"))  # fmt: skip
    fig.legend(handles=handles, loc="outside lower left", ncols=9, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def severity_labels_figure(defects: pd.DataFrame) -> Figure:
    """Draw how many annotated defects have which labelled severity, by type; eight types at most have a colour.

    Args:
        defects: A row per annotated defect: `type`, `severity_max` and `severity_mean`, NaN where it has none.
    """
    fig = new_figure(9.6, 3.8)
    common = sorted(defects["type"].value_counts().index[:_TYPES])
    tint, others = colours(common), ~defects["type"].isin(common)
    kinds = [(plain(kind), defects["type"] == kind, tint[kind]) for kind in common]
    if others.any():
        kinds.append(("other types", others, QUIET))
    for axes, name in zip(fig.subplots(1, 2, sharey=True), MEASURES[:2], strict=True):
        if defects[name].isna().all():
            blank(axes, "no defect has a labelled severity")
            continue
        axes.hist([defects.loc[of_it, name].dropna() for _, of_it, _ in kinds], bins=_SEVERITY_BINS, stacked=True,
                  color=[colour for *_, colour in kinds], edgecolor="white", linewidth=0.5)  # fmt: skip
        tidy(axes, _TITLES[name], "labelled, 0 to 12", "annotated defects", grid="y")
        axes.set(xlim=(0, LARGEST), xticks=range(0, 13, 2))
    handles = [Patch(color=colour, label=f"{kind} ({of_it.sum():,})") for kind, of_it, colour in kinds]
    fig.legend(handles=handles, loc="outside lower left", ncols=5, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def _correlation(told: pd.Series) -> str:
    if not np.isfinite(told["spearman"]):
        return f"{told['defects']:,} defects"
    ends = f" ({told['low']:.2f} to {told['high']:.2f})" if np.isfinite(told["low"]) else ""
    return f"rank correlation {told['spearman']:.2f}{ends}\n{told['defects']:,} defects"


def _scale(axes: Axes, name: str, matched: pd.DataFrame) -> None:
    """Give both axes one range, and draw the diagonal."""
    both = matched[[name, f"other_{name}"]].to_numpy()
    if name == MEASURES[2]:
        positive = both[both > 0]
        ends = (positive.min() / 1.6, positive.max() * 1.6) if len(positive) else (0.1, 10)
        axes.set(xscale="log", yscale="log")
    else:
        ends = (0, LARGEST)
        axes.set(xticks=range(0, 13, 2), yticks=range(0, 13, 2))
    axes.plot(ends, ends, color=RULE, linewidth=1.2, zorder=1)
    axes.set(xlim=ends, ylim=ends)
    axes.set_box_aspect(1)

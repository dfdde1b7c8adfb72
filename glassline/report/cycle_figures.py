"""New data beside the last cycle's, as figures: samples, counts, light, attributes, and a map of features.

Shapes: N patches, H x W pixels, F features.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from glassline.report.style import INK, QUIET, RULE, blank, colours, new_figure, plain, tidy

#: Colours of the two cycles, alike in every figure.
LAST, NEW = "#5c6670", "#d55e00"
_ACROSS, _MOST_ATTRIBUTES, _MOST_RIGS = 6, 24, 6
_DARK = 64  # 255ths of white below which nearly all of a dark field lies
_FLOOR = 1e-4  # share of pixels that a logarithmic axis still shows

Thumbnails = Mapping[str, Sequence[npt.NDArray[np.uint8]]]


def sheet_figure(last: Thumbnails, new: Thumbnails, classes: Sequence[str]) -> Figure:
    """Draw a few patches of each class, the last cycle's on the left and the new ones on the right.

    Args:
        last: Class to patches (H, W), grey levels 0 to 255; empty where there is no last cycle.
        new: The same of the new data.
        classes: Classes to show, in order.
    """
    sides = [("last cycle", last, LAST), ("new", new, NEW)] if last else [("new", new, NEW)]
    fig = new_figure(5.6 * len(sides), 1.0 * len(classes) + 0.4)
    cells = fig.subplots(len(classes), len(sides), squeeze=False)
    edge_px = next((one.shape[0] for _, found, _ in sides for of_class in found.values() for one in of_class), 1)
    for row, name in enumerate(classes):
        for axes, (title, thumbnails, tint) in zip(cells[row], sides, strict=True):
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_visible(False)
            if row == 0:
                axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=tint)
            patches = list(thumbnails.get(name, ()))[:_ACROSS]
            axes.imshow(_strip(patches, edge_px), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            if not patches:
                axes.text(0.02, 0.5, "none", color=QUIET, fontsize=9, va="center", transform=axes.transAxes)
        cells[row][0].set_ylabel(plain(name, 14), rotation=0, ha="right", va="center", fontsize=10, color=INK)
    return fig


def _strip(patches: Sequence[npt.NDArray[np.uint8]], edge_px: int) -> npt.NDArray[np.uint8]:
    """Return patches side by side, white between and where there are fewer."""
    strip = np.full((edge_px, _ACROSS * (edge_px + 4)), 255, np.uint8)
    for place, patch_HW in enumerate(patches):
        strip[:, place * (edge_px + 4) : place * (edge_px + 4) + edge_px] = patch_HW
    return strip


def counts_figure(counts: pd.DataFrame, least: int, compared: bool) -> Figure:
    """Draw samples of each class as bars, those of the last cycle below the new ones.

    Args:
        counts: Table of `class_counts`.
        least: Samples of a class that are asked for, drawn as a line.
        compared: Whether there is a last cycle.
    """
    fig = new_figure(8.0, 1.3 + 0.55 * len(counts))
    axes = fig.add_subplot()
    place_C = np.arange(len(counts))
    series = [("units", NEW, -0.18), ("last_units", LAST, 0.18)] if compared else [("units", NEW, 0.0)]
    for column, tint, shift in series:
        axes.barh(place_C + shift, counts[column], 0.34, color=tint)
        for place, value in zip(place_C, counts[column], strict=True):
            axes.annotate(f"{value:,}", (value, place + shift), xytext=(4, 0), textcoords="offset points", va="center",
                          fontsize=8.5, color=INK)  # fmt: skip
    axes.axvline(least, color=INK, linewidth=1, linestyle=":")
    tidy(axes, "Samples of each class", "samples judged", grid="x")
    axes.set_yticks(place_C, [plain(name) for name in counts["label"]])
    axes.set_ylim(len(counts) - 0.5, -0.5)
    axes.margins(x=0.08)
    handles = [Patch(color=NEW, label="new")]
    handles += [Patch(color=LAST, label="last cycle")] if compared else []
    fig.legend(handles=[*handles, Line2D([], [], color=INK, linestyle=":", label=f"least asked for, {least}")],
               loc="outside lower left", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)  # fmt: skip
    return fig


def light_figure(rigs: pd.DataFrame, last: pd.DataFrame) -> Figure:
    """Draw grey levels of each rig, a line per light state; the last cycle's dashed where it has the same rig.

    Args:
        rigs: Table of `by_rig`; the first six rigs are drawn.
        last: The same of the last cycle; of other rigs where none is the same, may be empty.
    """
    names = list(dict.fromkeys(rigs["rig"]))[:_MOST_RIGS] if len(rigs) else []
    fig = new_figure(8.4, 0.7 + 2.3 * max(1, len(names)))
    panels = fig.subplots(max(1, len(names)), 1, squeeze=False)[:, 0]
    if not names:
        blank(panels[0], "no image could be read")
        return fig
    tint = colours(str(state) for state in sorted(rigs["state"].unique()))
    for axes, name in zip(panels, names, strict=True):
        same = last[last["rig"] == name] if len(last) else last
        before = same if len(same) else last
        for rows, dash in ((before, "--"), (rigs[rigs["rig"] == name], "-")):
            for row in rows.to_dict("records"):
                level_B = (np.arange(len(row["histogram"])) + 0.5) * 255 / len(row["histogram"])
                share_B = np.clip(row["histogram"], _FLOOR / 3, None)
                axes.plot(level_B, share_B, dash, color=tint.get(str(row["state"]), QUIET), linewidth=1.3)
            if rows is not before and len(rows):
                axes.set_xlim(-2, _brightest(rows))
        axes.set_yscale("log")
        axes.set_ylim(_FLOOR, 1)
        count = int(rigs[rigs["rig"] == name]["images"].max())
        other = "; dashed: last cycle" + ("" if len(same) else ", other rigs") if len(before) else ""
        tidy(axes, f"{plain(name, 40)}, {count} images{other}", "", "share of pixels")
    panels[-1].set_xlabel("grey level, 255ths of white", fontsize=9.5, color=QUIET)
    if len(tint) > 1:
        handles = [Line2D([], [], color=one, label=f"light state {state}") for state, one in tint.items()]
        fig.legend(handles=handles, loc="outside lower left", ncols=6, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def _brightest(rows: pd.DataFrame) -> float:
    """Return the level up to which a rig's histograms say something: all of them, or the dark end of dark fields."""
    share_B = np.mean(np.stack(list(rows["histogram"])), axis=0)
    above = 1 - np.cumsum(share_B)
    dark = int(np.argmax(above < 10 * _FLOOR)) * 255 / len(share_B)
    return 1.3 * dark + 8 if dark < _DARK else 257


def attributes_figure(attributes: pd.DataFrame) -> Figure:
    """Draw how far each attribute moved, those that drifted in colour; at most 24, the largest statistic first.

    Args:
        attributes: Table of `attribute_drift`.
    """
    rows = attributes.head(_MOST_ATTRIBUTES)
    fig = new_figure(8.4, 1.4 + 0.3 * max(1, len(rows)))
    axes = fig.add_subplot()
    if rows.empty:
        blank(axes, "no attribute is known of both cycles")
        return fig
    place_A = np.arange(len(rows))
    tint_A = np.where(rows["drifted"], NEW, LAST)
    axes.axvline(0, color=RULE, linewidth=1)
    axes.hlines(place_A, 0, rows["shift"], color=tint_A, linewidth=2)
    axes.scatter(rows["shift"], place_A, color=tint_A, s=28, zorder=3)
    for place, row in zip(place_A, rows.to_dict("records"), strict=True):
        p = "< 0.001" if row["p_holm"] < 1e-3 else f"= {row['p_holm']:.2g}"
        told = f"KS {row['ks']:.2f}   PSI {row['psi']:.2f}   p {p}"
        axes.annotate(told, (1, place), xytext=(8, 0), fontsize=8.5, color=INK, va="center",
                      xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
    tidy(axes, "Attributes: the new mean less the last cycle's", "standard deviations of the last cycle", grid="x")
    axes.set_yticks(place_A, [plain(str(name).removeprefix("attr_"), 26) for name in rows["attribute"]])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.08)
    handles = [Patch(color=NEW, label="drifted"), Patch(color=LAST, label="not shown to have drifted")]
    fig.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8.5, frameon=False, labelcolor=INK)
    return fig


def map_figure(
    features_NF: npt.NDArray[np.floating], new_N: npt.NDArray[np.bool_], labels: Sequence[str], words: str
) -> Figure:
    """Draw features of both cycles on their first two principal components, by cycle and by class.

    Args:
        features_NF: Features of both.
        new_N: Which are new.
        labels: Class of each.
        words: What the features are.
    """
    xy_N2, share_2 = _principal(features_NF)
    fig = new_figure(11.6, 5.0)
    by_cycle, by_class = fig.subplots(1, 2, sharex=True, sharey=True)
    for side_N, tint, name in ((~new_N, LAST, "last cycle"), (new_N, NEW, "new")):
        by_cycle.scatter(*xy_N2[side_N].T, s=12, alpha=0.5, linewidths=0, color=tint, label=name)
    label_N = np.array(labels, object)
    for name, tint in colours(sorted(set(labels))).items():
        for side_N, mark in ((~new_N, "x"), (new_N, "o")):
            here_N = side_N & (label_N == name)
            by_class.scatter(*xy_N2[here_N].T, s=14, alpha=0.6, linewidths=0.8 if mark == "x" else 0, marker=mark,
                             color=tint, label=plain(name) if mark == "o" else None)  # fmt: skip
    for axes, title, column in ((by_cycle, "By cycle", 0), (by_class, "By class; crosses: last cycle", 1)):
        _axis_names(axes, title, share_2, column)
        axes.legend(fontsize=8.5, frameon=False, labelcolor=INK, markerscale=1.6)
    fig.suptitle(f"Patches as {words}", fontsize=10, color=QUIET, x=0.01, ha="left")
    return fig


def _axis_names(axes: Axes, title: str, share_2: npt.NDArray[np.float64], column: int) -> None:
    up = f"component 2, {share_2[1]:.0%} of variance" if column == 0 else ""
    tidy(axes, title, f"component 1, {share_2[0]:.0%} of variance", up)


def _principal(features_NF: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the first two principal components of each sample (N, 2), and their shares of the variance."""
    centred_NF = np.asarray(features_NF, np.float64) - features_NF.mean(axis=0)
    if centred_NF.shape[1] == 1:
        centred_NF = np.hstack([centred_NF, np.zeros_like(centred_NF)])
    left_NK, size_K, _ = np.linalg.svd(centred_NF, full_matrices=False)
    total = float((size_K**2).sum()) or 1.0
    return left_NK[:, :2] * size_K[:2], size_K[:2] ** 2 / total

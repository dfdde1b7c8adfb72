"""How alike classes are, as figures and as a section of the report.

A folder holds `classes.parquet`, `pairs.parquet` and the figures `variation.png` and `pairs.png`.
Shapes: H x W pixels, C classes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from glassline.analysis.input_variation import INTER, INTRA, InputVariation
from glassline.errors import DataError
from glassline.report.figures import save_figure
from glassline.report.page import PageFigure, Section, SectionTable
from glassline.report.style import INK, QUIET, blank, colours, name_cells, new_figure, plain, tidy
from glassline.report.tables import rows_of

_CLASSES, _PAIRS = "classes.parquet", "pairs.parquet"
_FIGURES = {
    "variation": "How far the nearest sample of each class is: classes against each other, and spread over samples",
    "pairs": "The most alike samples of different classes, and the most different ones of one class",
}
_OWN, _OTHER, _NEARER = "#0072b2", "#d55e00", "#e69f00"
_KINDS = {
    INTER: "Inter-class similarity: most alike of different classes",
    INTRA: "Intra-class difference: most different of one class",
}
_COLUMNS, _GAP, _BELOW = 4, 0.06, -0.12


def write_input_variation(
    found: InputVariation, thumbnails: Mapping[str, npt.NDArray[np.uint8]], folder: Path
) -> dict[str, Figure]:
    """Write the files that `input_sections` reads.

    Args:
        found: What was measured.
        thumbnails: Id of each sample of a pair to its patch.
        folder: Where the files go; it exists.

    Returns:
        The figures by name.
    """
    found.classes.to_parquet(folder / _CLASSES)
    found.pairs.to_parquet(folder / _PAIRS)
    figures = {"variation": variation_figure(found), "pairs": pairs_figure(found.pairs, thumbnails)}
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")
    return figures


def input_sections(folder: str | Path) -> list[Section]:
    """Return the page's section on how alike classes are.

    Args:
        folder: What `write_input_variation` wrote.

    Raises:
        DataError: A file is missing; names it.
    """
    folder = Path(folder)
    names = (_CLASSES, _PAIRS, *(f"{name}.png" for name in _FIGURES))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"{folder} must hold the analysis of inputs, missing: {', '.join(missing)}; run analyse_inputs again"
        )
    classes, pairs = pd.read_parquet(folder / _CLASSES), pd.read_parquet(folder / _PAIRS)
    figures = [PageFigure((folder / f"{name}.png").read_bytes(), caption) for name, caption in _FIGURES.items()]
    tables = [
        SectionTable(title, rows_of(rows))
        for title, rows in (("Distances of each class", classes), ("Hardest pairs", pairs))
    ]
    return [Section("Inputs: how alike classes are", figures, _note(classes), tables)]


def _note(classes: pd.DataFrame) -> str:
    note = (
        f"Before any training: distances between histograms of oriented gradients of up to {classes['samples'].max():,}"
        " real patches of each class; those of one group are never compared. A patch nearer to another class than to "
        "any of its own is likely to be misclassified."
    )
    known = classes.dropna(subset=["confusable_share"]).to_dict("records")
    if not known:
        return f"{note} No class has patches in two groups."
    hardest = max(known, key=lambda one: one["confusable_share"])
    return (
        f"{note} That is most often so in {hardest['label']}: {100 * hardest['confusable_share']:.0f}\u00a0%, by "
        f"chance {100 * hardest['chance_share']:.0f}\u00a0%; the class nearest to it is {hardest['nearest_class']}."
    )


def variation_figure(found: InputVariation) -> Figure:
    """Draw the distances between classes, beside the nearest own and the nearest other sample of each class.

    Args:
        found: What was measured; where nothing could be, there is a dash.
    """
    count = len(found.classes)
    cell_in = float(np.interp(count, [2, 12], [1.0, 0.66]))
    matrix_in, spread_in = max(4.4, cell_in * count + 1.6), 6.6
    fig = new_figure(matrix_in + spread_in, max(3.9, 0.62 * count + 1.9))
    left, right = fig.subplots(1, 2, width_ratios=[matrix_in, spread_in])
    _matrix(left, found.nearest_CC)
    _distances(right, found)
    return fig


def _matrix(axes: Axes, nearest_CC: pd.DataFrame) -> None:
    """Draw a cell per pair of classes, darker where they are more alike."""
    distance_CC = nearest_CC.to_numpy(np.float64)
    known = distance_CC[np.isfinite(distance_CC)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    axes.imshow(distance_CC, cmap="Blues_r", vmin=low, vmax=high + 0.25 * (high - low) + 1e-9, aspect="auto")
    font = float(np.interp(len(distance_CC), [4, 12], [10.5, 8]))
    for (row, column), value in np.ndenumerate(distance_CC):
        dark, own = value < low + 0.55 * (high - low), row == column
        axes.text(column, row, f"{value:.2f}" if np.isfinite(value) else "–", ha="center", va="center", fontsize=font,
                  color="white" if dark else INK, fontweight="bold" if own else "normal")  # fmt: skip
        if not own and value <= distance_CC[row, row]:
            axes.add_patch(
                Rectangle((column - 0.44, row - 0.42), 0.88, 0.84, fill=False, edgecolor=_NEARER, linewidth=2.2)
            )
    tidy(axes, "Distance to the nearest sample, median", "to a sample of", "from a sample of")
    name_cells(axes, [plain(name, 16) for name in nearest_CC.columns])
    framed = Patch(fill=False, edgecolor=_NEARER, linewidth=2.2, label="nearer than its own class (diagonal)")
    _legend(axes, [framed])


def _distances(axes: Axes, found: InputVariation) -> None:
    for row, one in enumerate(found.classes.to_dict("records")):
        of_class = found.samples[found.samples["label"] == one["label"]]
        for shift, column, colour in ((-0.19, "own_distance", _OWN), (0.19, "other_distance", _OTHER)):
            value_N = of_class[column].dropna().to_numpy(np.float64)
            if not len(value_N):
                axes.annotate("–", (0.01, row + shift), xycoords=("axes fraction", "data"), va="center", color=colour)
                continue
            axes.boxplot(
                value_N, positions=[row + shift], orientation="horizontal", widths=0.3, whis=(5, 95), showfliers=False,
                patch_artist=True, boxprops={"facecolor": colour, "alpha": 0.35, "linewidth": 0},
                medianprops={"color": colour, "linewidth": 2.4}, whiskerprops={"color": colour, "linewidth": 1.1},
                capprops={"color": colour, "linewidth": 1.1}, manage_ticks=False,
            )  # fmt: skip
        axes.plot(one["spread"], row, "D", color="white", markeredgecolor=INK, markersize=6)
        known = np.isfinite(one["confusable_share"])
        for told, above_pt, font, colour in (
            (f"{one['confusable_share']:.0%}" if known else "–", 5, 10.5, _OTHER),
            (f"chance {one['chance_share']:.0%}" if known else "", -7, 8, QUIET),
        ):
            axes.annotate(told, (1, row), xycoords=("axes fraction", "data"), xytext=(8, above_pt), va="center",
                          textcoords="offset points", fontsize=font, color=colour)  # fmt: skip
    axes.annotate("nearer to\nanother class", (1, 1), xycoords="axes fraction", xytext=(8, 3),
                  textcoords="offset points", fontsize=8, color=QUIET)  # fmt: skip
    tidy(axes, "Nearest of its own class against nearest of any other", "distance", grid="x")
    axes.set_yticks(range(len(found.classes)), [plain(name, 16) for name in found.classes["label"]])
    axes.set_ylim(len(found.classes) - 0.5, -0.5)
    handles = [
        Patch(facecolor=_OWN, alpha=0.5, label="own class"),
        Patch(facecolor=_OTHER, alpha=0.5, label="another class"),
        Line2D(
            [], [], marker="D", linestyle="", color="white", markeredgecolor=INK, label="any two of the class, median"
        ),
    ]
    _legend(axes, handles)


def _legend(axes: Axes, handles: Sequence[Artist]) -> None:
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, _BELOW), ncols=3, fontsize=9, frameon=False,
                labelcolor=INK)  # fmt: skip


def pairs_figure(pairs: pd.DataFrame, thumbnails: Mapping[str, npt.NDArray[np.uint8]]) -> Figure:
    """Draw the hardest pairs side by side: classes below, distance above.

    Args:
        pairs: `InputVariation.pairs`.
        thumbnails: Id of each sample of a pair to its patch (H, W), grey levels 0 to 255.
    """
    tint = colours(sorted({*pairs["label"], *pairs["other_label"]}))
    blocks = {kind: pairs[pairs["kind"] == kind] for kind in _KINDS}
    rows = [max(1, -(-len(block) // _COLUMNS)) for block in blocks.values()]
    fig = new_figure(2.75 * _COLUMNS, 1.75 * sum(rows) + 0.9)
    parts = fig.subfigures(len(blocks), 1, squeeze=False, height_ratios=[count + 0.3 for count in rows])
    for part, (kind, block), count in zip(parts.ravel(), blocks.items(), rows, strict=True):
        _gallery(part, _KINDS[kind], block, count, thumbnails, tint)
    return fig


def _gallery(
    part: SubFigure, title: str, block: pd.DataFrame, rows: int, thumbnails: Mapping[str, npt.NDArray[np.uint8]],
    tint: Mapping[str, str],
) -> None:  # fmt: skip
    part.suptitle(title, x=0.01, ha="left", fontsize=11.5, fontweight="bold", color=INK)
    cells = part.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes in cells:
        blank(axes)
    if block.empty:
        blank(cells[0], "no pair of different groups")
    for axes, one in zip(cells, block.to_dict("records"), strict=False):
        for left, name, label in ((0.0, one["id"], one["label"]), (1 + _GAP, one["other_id"], one["other_label"])):
            axes.imshow(thumbnails[name], cmap="gray", vmin=0, vmax=255, extent=(left, left + 1, 1, 0))
            axes.add_patch(Rectangle((left, 0), 1, 1, fill=False, edgecolor=tint[label], linewidth=2))
            axes.text(left + 0.5, 1.05, plain(label, 18), ha="center", va="top", fontsize=9, color=INK)
        axes.set_xlim(-0.02, 2 + _GAP + 0.02)
        axes.set_ylim(1.02, -0.02)
        axes.set_title(f"distance {one['distance']:.2f}", fontsize=9, color=QUIET, pad=3)

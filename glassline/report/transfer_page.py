"""The page on what a new product learned from older ones: which of them help, how much, and where defects are."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from glassline.analysis.box_hits import BOX_HIT_IOU
from glassline.report.page import PageFigure, ReportContent, Section, SectionTable, write_page
from glassline.report.tables import rows_of, share

_CAPTIONS = {
    "affinity.png": "Affinity of each source for the new product",
    "gain.png": "Measured gain of transfer from each source over its affinity",
    "selection.png": "Samples of the sources, and which were chosen within the budget",
    "arms.png": "Test images and patches told right, by what the base learned from",
}
#: Words for what a base learned from.
ARMS = {
    "dataonomy": "chosen sources", "all": "all sources", "random": "random sources of the same budget",
    "none": "no source",
}  # fmt: skip


def write_transfer_page(
    facts: Mapping[str, str], arms: pd.DataFrame, reasons: pd.DataFrame, boxes: pd.DataFrame,
    figures: Mapping[str, bytes], warnings: Sequence[str], path: str | Path,
) -> None:  # fmt: skip
    """Write the page as one HTML file, whole or not at all.

    Args:
        facts: Name to value of what was run.
        arms: One row per `evaluation.json`, that of the chosen sources first.
        reasons: Why each source was chosen or not; see `glassline.analysis.selection_reasons.explain`.
        boxes: Figures of the boxes by `method`, see `BoxMetrics`; empty where nobody says where defects are.
        figures: PNG files by name: those of the affinity, of the selection, of the arms, and `heat_….png`.
        warnings: What a reviewer must know before believing the figures.
        path: The file.
    """
    first = arms.iloc[0]
    highlights = {
        "defective images found": _rate(first["tpr"]),
        "clean ones passed": _rate(first["tnr"]),
        "sources chosen": f"{int(reasons['chosen'].sum())} of {len(reasons)}",
    }
    if len(boxes):
        highlights["defects in a box"] = _rate(boxes.iloc[0]["hit"])
    content = ReportContent(
        title=f"Transfer to {facts['product']}, cycle {facts['cycle']}", facts=facts,
        sections=[_sources(reasons, figures), _arms(arms, figures), *_boxes(boxes, figures)], warnings=warnings,
        highlights=highlights,
    )  # fmt: skip
    write_page(content, path)


def _rate(value: float | None) -> str:
    """Return a rate as read; a dash where it is of nothing."""
    return "–" if pd.isna(value) else f"{value:.1%}"


def _sources(reasons: pd.DataFrame, figures: Mapping[str, bytes]) -> Section:
    note = (
        "Affinity: for each source a small head reads frozen features of a base network; it learns from few samples of "
        "the new product and those of the source, and is judged on other samples of the new product. Sources are "
        "compared pair by pair by how often the loss of one is lower, and the comparisons weighed by the Analytic "
        "Hierarchy Process: affinities sum to 1. The choice is the best one within the budget of samples."
    )
    named = ("affinity.png", "gain.png", "selection.png")
    tables = [SectionTable("Sources", rows_of(reasons))]
    return Section("Which sources help", list(_pictures(figures, named)), note, tables)


def _arms(arms: pd.DataFrame, figures: Mapping[str, bytes]) -> Section:
    rows: list[Mapping[str, object]] = [
        {
            "the base learned from": ARMS[one["arm"]], "sources": len(one["sources"]), "samples": one["samples"],
            "TPR": share(round(one["tpr"] * one["defective"]) if one["defective"] else 0, one["defective"], one["tpr"],
                         one["tpr_low"], one["tpr_high"]),
            "TNR": share(round(one["tnr"] * one["clean"]) if one["clean"] else 0, one["clean"], one["tnr"],
                         one["tnr_low"], one["tnr_high"]),
            "average_precision": one["average_precision"], "threshold": one["threshold"],
        }
        for one in arms.to_dict("records")
    ]  # fmt: skip
    first = arms.iloc[0]
    note = (
        f"{first['network']}, starting from weights: {first['weights']}. Each network was fine-tuned on "
        f"{first['target_samples']:,} patches of the new product with no layer frozen. An image is called defective "
        "from a threshold on that its most defective window reaches: the one that did best on validation images. "
        "Windows lie on a grid over the whole image, or candidates are looked at where nobody says where defects are. "
        "TPR: defective test images that are called so; TNR: clean ones that are not. In brackets: rate and its "
        "95\u00a0% Wilson interval. Average precision: over test patches, cut where defects are annotated."
    )
    return Section(
        "What the sources were worth", list(_pictures(figures, ("arms.png",))), note, [SectionTable("Networks", rows)]
    )


def _boxes(boxes: pd.DataFrame, figures: Mapping[str, bytes]) -> list[Section]:
    if boxes.empty:
        return []
    rows: list[Mapping[str, object]] = [
        {
            "binarised": one["method"], "defects": one["defects"], "hit": one["hit"],
            "hit by a box's centre": one["hit_by_centre"], "hit by IoU": one["hit_by_iou"],
            "precision": one["precision"], "false boxes per clean image": one["false_per_clean_image"],
            "threshold": one["threshold"],
        }
        for one in boxes.to_dict("records")
    ]  # fmt: skip
    note = (
        "The classifier reads overlapping windows; the heat of a pixel is the mean of their probabilities of a defect, "
        "the more of a window's the nearer its middle. What is hotter than the threshold becomes boxes. A box hits a "
        f"defect where its centre lies in it or both boxes overlap by an IoU of {BOX_HIT_IOU:g}. The threshold is that "
        "of the highest F1 of boxes on validation images. Class activation: the same of the last convolution's "
        "response."
    )
    names = sorted(name for name in figures if name.startswith("heat_"))
    pictures = [PageFigure(figures[name], f"Heat of test image {name[5:-4]}") for name in names]
    return [Section("Where the defects are", pictures, note, [SectionTable("Boxes on the test images", rows)])]


def _pictures(figures: Mapping[str, bytes], names: Sequence[str]) -> Iterator[PageFigure]:
    for name in names:
        if name in figures:
            yield PageFigure(figures[name], _CAPTIONS[name])

"""The report's sections on defects with severity and type, from what an evaluation leaves.

A folder holds what `DetectionResult` writes, and figures: `threshold.png`, `hits.png`, `types.png`, `severity.png`,
`curves.png` and any number of `overlay_….png`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glassline.analysis.detection import HIT_IOU
from glassline.report.detection_result import DetectionResult
from glassline.report.page import PageFigure, Section, SectionTable
from glassline.report.result_files import overlay_pictures, pictures
from glassline.report.tables import rows_of, share

_SHOWN = 60
_FIGURES = {
    "threshold": "Mean IoU of the validation images over the threshold of the severity filter",
    "hits": "Recall and precision of test defects over the IoU that a hit needs, with and without the classifier",
    "curves": "Loss by epoch",
}
_OF_TYPES = {"types": "Types of the defects that were hit"}
_OF_SEVERITY = {"severity": "Predicted over labelled severity of each test defect"}
_WORDS = {"severity_max": "highest", "severity_mean": "mean", "severity_integrated": "summed over px"}


def detection_sections(folder: str | Path) -> list[Section]:
    """Return the page's sections on detected defects: how well, of which type, how severe, and which they are.

    Args:
        folder: What `DetectionResult.write` wrote, with figures beside it.

    Raises:
        DataError: A file is missing; names it.
    """
    found, folder = DetectionResult.read(folder), Path(folder)
    tables = [SectionTable("Pixels, defects and verdicts of the test images", _methods(found.methods))]
    if len(found.pixels):
        tables.append(SectionTable("Pixels of the test images, with a tolerance", rows_of(found.pixels)))
    tables.append(SectionTable(f"Defects of the test images, hit from an IoU of {HIT_IOU:g}", _hits(found.hits)))
    shown = [*pictures(folder, _FIGURES), *overlay_pictures(folder, "An image with a {}, under its severity")]
    sections = [Section("Defects", shown, _note(found), tables)]
    if len(found.types):
        sections.append(_types(found.types, list(pictures(folder, _OF_TYPES))))
    sections.append(_severity(found, list(pictures(folder, _OF_SEVERITY))))
    return [*sections, _listed(found.defects)]


def _methods(methods: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {
            "method": one["method"], "AR": one["ar"], "mean_iou": one["mean_iou"], "precision": one["precision"],
            "recall": one["recall"], "f1": one["f1"],
            "TPR": share(one["rejected"], one["defective"], one["tpr"], one["tpr_low"], one["tpr_high"]),
            "TNR": share(one["passed"], one["clean"], one["tnr"], one["tnr_low"], one["tnr_high"]),
        }
        for one in methods.to_dict("records")
    ]  # fmt: skip


def _hits(hits: pd.DataFrame) -> list[Mapping[str, object]]:
    at = hits[np.isclose(hits["iou"], HIT_IOU)]
    return rows_of(at[["variant", "recall", "precision", "f1"]])


def _note(found: DetectionResult) -> str:
    chosen = found.chosen
    return (
        f"Cells count as defective from a severity of T = {chosen.threshold:.2f} of 12. This was chosen on validation "
        f"images by the highest mean IoU, {chosen.mean_iou:.3f} there. Precision, recall and F1 of pixels: over all "
        "test images together; mean IoU: over those with a defect. AR: 2 / n times the sum of max(IoU − 0.5, 0) over "
        "the n annotated defects, each matched with at most one that was found. TPR: defective images on which any "
        "was found; TNR: clean ones on which none was. In brackets: rate and its 95\u00a0% Wilson interval. The "
        f"detector has {found.parameters:,} parameters."
    )


def _types(types: pd.DataFrame, shown: Sequence[PageFigure]) -> Section:
    rows: list[Mapping[str, object]] = [
        {"annotated": name, **{f"found as {one.found}": one.defects for one in of_it.itertuples()}}
        for name, of_it in types.groupby("annotated", sort=False)
    ]
    total = int(types["defects"].sum())
    right = int(types.loc[types["annotated"] == types["found"], "defects"].sum())
    note = f"Of {total:,} test defects that were hit, {right:,} were given their type."
    return Section("Types of defects", shown, note, [SectionTable("Defects by type", rows)])


def _severity(found: DetectionResult, shown: Sequence[PageFigure]) -> Section:
    ranks = [
        {"severity": _WORDS[one["measure"]], "defects": one["defects"], "rank correlation": one["spearman"],
         "95 % interval": _interval(one["low"], one["high"])}
        for one in found.severity.to_dict("records")
    ]  # fmt: skip
    tables = [SectionTable("Rank correlation of predicted with labelled severity", ranks)]
    note = (
        "Over annotated defects of which anything was found. Spearman's correlation; its interval is a bootstrap over "
        "parts."
    )
    if len(found.repeats):
        one = found.repeats.to_dict("records")[0]
        every = share(one["every_time"], one["defects"], one["share"], one["share_low"], one["share_high"])
        note += (
            f" The same parts were captured {one['captures']:,} times: {every} of their defects were found every time, "
            f"and {one['extra']:.3g} others in a capture."
        )
        spreads = [
            {"severity": words, "standard deviation": one[f"{name.removeprefix('severity_')}_sd"],
             "coefficient of variation": one[f"{name.removeprefix('severity_')}_cv"]}
            for name, words in _WORDS.items()
        ]  # fmt: skip
        tables.append(SectionTable("Spread of a defect's severity over captures, mean over defects", spreads))
    return Section("Severity", shown, note, tables)


def _interval(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}" if np.isfinite(low) else "–"


def _listed(defects: pd.DataFrame) -> Section:
    missed, alarmed, hit = ((defects["outcome"] == name).sum() for name in ("miss", "false alarm", "hit"))
    note = (
        f"Of {missed + hit:,} annotated test defects {hit:,} were hit and {missed:,} missed; {alarmed:,} alarms are "
        "false. Misses stand first, then false alarms, then hits, the most severe first. Severity: that of "
        "the most severe cell."
    )
    if len(defects) > _SHOWN:
        note += f" The first {_SHOWN} are shown."
    rows: list[Mapping[str, object]] = [
        {
            "image": one["image"], "outcome": one["outcome"], "annotated": one["annotated_type"] or None,
            "found": one["found_type"] or None, "probability": _or_none(one["probability"]),
            "IoU": one["iou"], "severity": _or_none(one["severity_max"]),
            "mean severity": _or_none(one["severity_mean"]), "severity × px": _or_none(one["severity_integrated"]),
            "labelled severity": _or_none(one["labelled_severity_max"]),
            "box in px": f"{one['x_px']}, {one['y_px']}, {one['width_px']} × {one['height_px']}",
        }
        for one in defects.head(_SHOWN).to_dict("records")
    ]  # fmt: skip
    return Section("List of defects", [], note, [SectionTable("Test defects", rows)])


def _or_none(value: float) -> float | None:
    """Return a number, or nothing where it is not known."""
    return None if np.isnan(value) else value

"""What an evaluation of a severity detection leaves for the report: tables as parquet, the threshold as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from glassline.analysis.detection import HIT_IOU, detection_metrics, hit_curve, type_metrics
from glassline.analysis.detection_tables import MEASURES, DetectionTables
from glassline.analysis.repeatability import Repeatability
from glassline.analysis.severity_agreement import severity_agreement
from glassline.analysis.threshold import FilterThreshold
from glassline.data.labels import BOX_COLUMNS
from glassline.report.result_files import read_result, write_result

#: Names of what is compared, as they are shown.
FULL, ALONE = "all four stages", "without classifier"
WITH_TYPE = "all four stages, type right"

_TABLES = ("methods", "pixels", "hits", "types", "severity", "repeats", "defects", "curve")
_LISTED = ("image", "outcome", "annotated_type", "found_type", "probability", "iou", *MEASURES,
           *(f"labelled_{name}" for name in MEASURES), *BOX_COLUMNS, "area_px")  # fmt: skip


@dataclass(frozen=True)
class DetectionResult:
    """What is known of a severity detection.

    Attributes:
        methods: One row per method: `method`, the fields of `DetectionMetrics`.
        pixels: One row per tolerance: `tolerance_px`, the fields of `PixelMetrics`; may be empty.
        hits: Curves over the IoU of a hit: `variant`, the columns of `hit_curve`.
        types: Hits by `annotated` and `found` type: `defects`; empty where types are not told or nothing was hit.
        severity: See `severity_agreement`.
        repeats: The fields of `Repeatability` as one row; empty where nothing was captured twice.
        defects: One row per annotated defect and false alarm, see `list_defects`.
        curve: See `MeanIouCurve.curve`; of validation images.
        chosen: The threshold, and what it does on them.
        parameters: Numbers that the detector learned.
    """

    methods: pd.DataFrame
    pixels: pd.DataFrame
    hits: pd.DataFrame
    types: pd.DataFrame
    severity: pd.DataFrame
    repeats: pd.DataFrame
    defects: pd.DataFrame
    curve: pd.DataFrame
    chosen: FilterThreshold
    parameters: int

    @classmethod
    def of(
        cls, full: DetectionTables, alone: DetectionTables, types: Sequence[str], curve: pd.DataFrame,
        chosen: FilterThreshold, parameters: int, pixels: pd.DataFrame | None = None,
        repeats: Repeatability | None = None,
    ) -> "DetectionResult":  # fmt: skip
        """Return the result of test images.

        Args:
            full: What was found with the classifier of types.
            alone: What was found without it.
            types: All types, in the order of the confusion matrix.
            curve: See `MeanIouCurve.curve`; of validation images.
            chosen: Its best threshold.
            parameters: Numbers that the detector learned.
            pixels: One row per tolerance: `tolerance_px`, the fields of `PixelMetrics`.
            repeats: What captures of the same parts tell.

        Raises:
            DataError: No image was compared, or a type is not among the names.
        """
        variants = {ALONE: hit_curve(alone, False), FULL: hit_curve(full, False), WITH_TYPE: hit_curve(full, True)}
        rows = [{"method": name, **asdict(detection_metrics(one))} for name, one in ((FULL, full), (ALONE, alone))]
        told = type_metrics(full, types)
        counts = [] if told is None else [
            {"annotated": actual, "found": found, "defects": int(told.confusion[row, column])}
            for row, actual in enumerate(types) for column, found in enumerate(types)
        ]  # fmt: skip
        return cls(
            pd.DataFrame(rows), pd.DataFrame() if pixels is None else pixels,
            pd.concat([one.assign(variant=name) for name, one in variants.items()], ignore_index=True),
            pd.DataFrame(counts, columns=["annotated", "found", "defects"]), severity_agreement(full.annotated),
            pd.DataFrame([] if repeats is None else [asdict(repeats)]), list_defects(full), curve, chosen, parameters,
        )  # fmt: skip

    def write(self, folder: str | Path) -> None:
        """Write the files that `read` reads; figures are the caller's."""
        about = {"chosen": asdict(self.chosen), "parameters": self.parameters}
        write_result(folder, {name: getattr(self, name) for name in _TABLES}, about)

    @classmethod
    def read(cls, folder: str | Path) -> "DetectionResult":
        """Return what `write` wrote.

        Raises:
            DataError: A file is missing; names it.
        """
        tables, about = read_result(folder, _TABLES, "a detection", "evaluate the detection again")
        return cls(**tables, chosen=FilterThreshold(**about["chosen"]), parameters=about["parameters"])


def list_defects(tables: DetectionTables, hit_iou: float = HIT_IOU) -> pd.DataFrame:
    """Return annotated defects and false alarms: misses first, then alarms and hits, the most severe first.

    A defect of which too little was found is a miss, and what was found of it a false alarm.

    Returns:
        `image`, `outcome` (miss, false alarm, hit), `annotated_type`, `found_type`, `probability`, `iou`, severities
        as predicted and, `labelled_…`, as labelled, the box in px, `area_px`; of misses that of the annotation.
    """
    annotated, found = tables.annotated, tables.found
    misses = annotated[(annotated["partner"] == 0) | (annotated["iou"] < hit_iou)]
    is_hit = (found["partner"] > 0) & (found["iou"] >= hit_iou)
    labels = {f"other_{name}": f"labelled_{name}" for name in MEASURES}
    told = [
        misses.drop(columns="probability").assign(outcome="miss", annotated_type=misses["type"], found_type="")
        .rename(columns={name: f"labelled_{name}" for name in MEASURES})
        .sort_values([f"labelled_{MEASURES[0]}", "area_px"], ascending=False, kind="stable"),
        _found(found[~is_hit], "false alarm").assign(annotated_type=""),
        _found(found[is_hit], "hit").rename(columns=labels).assign(annotated_type=found.loc[is_hit, "other_type"]),
    ]  # fmt: skip
    return pd.concat([rows.reindex(columns=_LISTED) for rows in told if len(rows)] or [pd.DataFrame(columns=_LISTED)],
                     ignore_index=True)  # fmt: skip


def _found(rows: pd.DataFrame, outcome: str) -> pd.DataFrame:
    return rows.sort_values(MEASURES[0], ascending=False, kind="stable").assign(
        outcome=outcome, found_type=rows["type"]
    )

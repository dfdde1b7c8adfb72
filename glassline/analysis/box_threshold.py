"""From which heat on boxes are made: the threshold whose boxes tell best where defects are."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from glassline.analysis.box_hits import defect_places, hits_of
from glassline.analysis.segmentation import f1_of, ratio
from glassline.vision.annotated_images import Annotated
from glassline.vision.defects import JoinSettings
from glassline.vision.heat_map import HeatMap, boxes

#: Thresholds that are tried, evenly between the lowest and the highest heat.
THRESHOLDS = 40


def threshold_curve(heats: Sequence[HeatMap], annotated: Iterable[Annotated], settings: JoinSettings) -> pd.DataFrame:
    """Return recall, precision, F1 and IoU of boxes over the threshold.

    Args:
        heats: Heat of each image, >= 0.
        annotated: Its defects; taken one image at a time.
        settings: Which hot cells are one box.

    Returns:
        `threshold`, `recall`, `precision`, `f1`, `mean_iou`; a share of nothing is NaN. No row where all heat is 0.
    """
    low = min((float(heat.cells_RC.min()) for heat in heats), default=0.0)
    high = max((float(heat.cells_RC.max()) for heat in heats), default=0.0)
    threshold_T = low + (high - low) * np.arange(1, THRESHOLDS + 1) / THRESHOLDS if high > 0 else np.zeros(0)
    counts = {name: np.zeros(len(threshold_T), np.int64) for name in ("hit", "defects", "hitting", "boxes")}
    iou_T = np.zeros(len(threshold_T))
    for heat, truth in zip(heats, annotated, strict=True):
        there = defect_places(truth)
        for place, threshold in enumerate(threshold_T.tolist()):
            hits = hits_of(truth, there, [box.bbox_px for box in boxes(heat, threshold, settings)])
            for name, count_T in counts.items():
                count_T[place] += getattr(hits, name)
            iou_T[place] += hits.iou
    recall_T, precision_T = ratio(counts["hit"], counts["defects"]), ratio(counts["hitting"], counts["boxes"])
    mean_T = iou_T / np.where(counts["defects"], counts["defects"], np.nan)
    return pd.DataFrame(
        {
            "threshold": threshold_T, "recall": recall_T, "precision": precision_T,
            "f1": f1_of(precision_T, recall_T), "mean_iou": mean_T,
        }
    )  # fmt: skip


def best_threshold(curve: pd.DataFrame) -> float | None:
    """Return the threshold of the highest F1 of boxes, of several the one of the highest mean IoU.

    None where no box hits a defect.
    """
    if not len(curve) or not curve["f1"].max() > 0:
        return None
    return float(curve.sort_values(["f1", "mean_iou"], kind="stable")["threshold"].iloc[-1])

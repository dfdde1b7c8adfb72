"""How well defects are detected: by pixel, by image, and by defect at every IoU.

Source: He and Liu 2020 (system E of the reading), section IV.C to IV.E: pixels pooled over images, mean IoU, AR of
eq. 3, recall and precision of defects over the IoU that a hit needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassline.analysis.detection_tables import DetectionTables
from glassline.analysis.metrics import ClassifierMetrics, classifier_metrics
from glassline.analysis.operating_point import share_of
from glassline.analysis.segmentation import f1_of, ratio
from glassline.errors import DataError

#: IoU from which a defect counts as hit where one is needed.
HIT_IOU = 0.5


@dataclass(frozen=True)
class DetectionMetrics:
    """Figures of a detection; a share of nothing is NaN, with the interval 0 to 1.

    Attributes:
        ar: (2 / n) times the sum of max(IoU - 0.5, 0) over the n annotated defects, 0 to 1.
        mean_iou: Mean over images with an annotated defect of the IoU of their pixels.
        precision: Share of found pixels that are annotated, over all images together.
        recall: Share of annotated pixels that are found.
        f1: Harmonic mean of both, 0 where one of them is 0 or none.
        defects: Annotated defects.
        defective: Images with one.
        rejected: Those of them on which anything was found.
        tpr: Their share.
        tpr_low: Lower end of its 95 % Wilson interval.
        tpr_high: Upper end of it.
        clean: Images without a defect.
        passed: Those of them on which nothing was found.
        tnr: Their share.
        tnr_low: Lower end of its 95 % Wilson interval.
        tnr_high: Upper end of it.
    """

    ar: float
    mean_iou: float
    precision: float
    recall: float
    f1: float
    defects: int
    defective: int
    rejected: int
    tpr: float
    tpr_low: float
    tpr_high: float
    clean: int
    passed: int
    tnr: float
    tnr_low: float
    tnr_high: float


def detection_metrics(tables: DetectionTables) -> DetectionMetrics:
    """Return the figures of a detection.

    Raises:
        DataError: No image was compared.
    """
    images, iou_N = tables.images, tables.annotated["iou"].to_numpy()
    if not len(images):
        raise DataError("detection metrics need at least one image, got none; add some")
    defective_N, found_N = images["annotated_px"].to_numpy() > 0, images["found_px"].to_numpy() > 0
    both, found, annotated = (np.array([images[f"{name}_px"].sum()]) for name in ("both", "found", "annotated"))
    precision, recall = ratio(both, found), ratio(both, annotated)
    rejected, defective = int((defective_N & found_N).sum()), int(defective_N.sum())
    passed, clean = int((~defective_N & ~found_N).sum()), int((~defective_N).sum())
    return DetectionMetrics(
        2 * float(np.maximum(iou_N - HIT_IOU, 0).mean()) if len(iou_N) else np.nan,
        float(images.loc[defective_N, "iou"].mean()), float(precision[0]), float(recall[0]),
        float(f1_of(precision, recall)[0]), len(iou_N), defective, rejected, *share_of(rejected, defective), clean,
        passed, *share_of(passed, clean),
    )  # fmt: skip


def hit_curve(tables: DetectionTables, with_type: bool, steps: int = 100) -> pd.DataFrame:
    """Return recall and precision of defects over the IoU that a hit needs.

    Args:
        tables: Compared images.
        with_type: Whether a hit must be of the annotated type.
        steps: Number of equal steps from IoU 0 to 1; at 0 any common pixel will do.

    Returns:
        `iou`, `recall`, `precision`, `f1`; a share of nothing is NaN.
    """
    annotated, found = tables.annotated, tables.found
    right_N = annotated["partner"].to_numpy() > 0
    if with_type:
        right_N &= (annotated["type"] == annotated["other_type"]).to_numpy()
    iou_T = np.arange(steps + 1) / steps
    rising_N = np.sort(annotated["iou"].to_numpy()[right_N])
    hits_T = len(rising_N) - np.searchsorted(rising_N, iou_T, side="left")
    recall_T, precision_T = (ratio(hits_T, np.full(len(iou_T), len(rows))) for rows in (annotated, found))
    return pd.DataFrame(
        {"iou": iou_T, "recall": recall_T, "precision": precision_T, "f1": f1_of(precision_T, recall_T)}
    )


def type_metrics(tables: DetectionTables, types: Sequence[str], least_iou: float = HIT_IOU) -> ClassifierMetrics | None:
    """Return how the types of hit defects were told apart, None where none was hit or there is but one type.

    Args:
        tables: Compared images, with the types of what was found.
        types: All types, in the order of the matrix.
        least_iou: IoU that a hit needs.

    Raises:
        DataError: A type is not among the names.
    """
    annotated = tables.annotated
    hit = annotated[(annotated["partner"] > 0) & (annotated["iou"] >= least_iou)]
    return classifier_metrics(hit["type"], hit["other_type"], types) if len(hit) and len(types) > 1 else None

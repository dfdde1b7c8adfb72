"""Whether the same parts, captured again, show the same defects with the same severity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassline.analysis.detection import HIT_IOU
from glassline.analysis.detection_tables import MEASURES, DetectionTables
from glassline.analysis.operating_point import share_of
from glassline.errors import DataError


@dataclass(frozen=True)
class Repeatability:
    """How much captures of the same parts agree.

    Attributes:
        captures: Captures of each part.
        defects: Defects of the reference.
        every_time: Those of them that every capture found.
        share: Their share.
        share_low: Lower end of its 95 % Wilson interval.
        share_high: Upper end of it.
        extra: Found defects that the reference has not, mean of a capture over all parts.
        max_sd: Standard deviation of the highest severity over captures, mean over the defects found every time.
        max_cv: The same as a share of each defect's mean.
        mean_sd: Standard deviation of the mean severity.
        mean_cv: As a share.
        integrated_sd: Standard deviation of the integrated severity.
        integrated_cv: As a share.
    """

    captures: int
    defects: int
    every_time: int
    share: float
    share_low: float
    share_high: float
    extra: float
    max_sd: float
    max_cv: float
    mean_sd: float
    mean_cv: float
    integrated_sd: float
    integrated_cv: float


def repeatability(
    captures: Sequence[DetectionTables], least_iou: float = HIT_IOU
) -> tuple[Repeatability, pd.DataFrame]:
    """Return how much captures agree, and how each defect came out.

    Captures are to be registered: a defect counts by the pixels that it shares with the reference.

    Args:
        captures: One per capture: what it found on each image, compared with the same reference; annotations, or
            what a further capture found, in the place of annotated defects.
        least_iou: IoU from which a defect of the reference counts as found.

    Returns:
        The figures, and a row per defect of the reference: `image`, `defect`, `type`, `found` (number of captures),
        and of each measure over the captures that found it `…_mean`, `…_sd` (n - 1; NaN of fewer than two), `…_cv`.

    Raises:
        DataError: There are fewer than two captures, or they have other references.
    """
    keys = ["image", "defect"]
    tables = [one.annotated.set_index(keys) for one in captures]
    if len(tables) < 2 or any(not one.index.equals(tables[0].index) for one in tables):
        raise DataError(
            f"repeatability needs two captures or more with one reference, got {len(tables)} with "
            f"{', '.join(str(len(one)) for one in tables) or 'no'} defects of it; compare each with the same"
        )
    rows = tables[0][["type"]].copy()
    found = pd.DataFrame({number: one["iou"] >= least_iou for number, one in enumerate(tables)}, index=rows.index)
    rows["found"] = found.sum(axis=1).astype(int)
    for name in MEASURES:
        seen = pd.DataFrame({number: one[f"other_{name}"] for number, one in enumerate(tables)}).where(found)
        rows[f"{name}_mean"], rows[f"{name}_sd"] = seen.mean(axis=1), seen.std(axis=1, ddof=1)
        rows[f"{name}_cv"] = rows[f"{name}_sd"] / rows[f"{name}_mean"].where(rows[f"{name}_mean"] > 0)
    always = rows[rows["found"] == len(tables)]
    extra = float(np.mean([(one.found["iou"] < least_iou).sum() for one in captures]))
    spreads = [float(always[f"{name}_{kind}"].mean()) for name in MEASURES for kind in ("sd", "cv")]
    shares = share_of(len(always), len(rows))
    return Repeatability(len(tables), len(rows), len(always), *shares, extra, *spreads), rows.reset_index()

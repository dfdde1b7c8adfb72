"""Whether predicted severity ranks defects as labelled severity does.

Shapes: N defects, U distinct values, G groups, B bootstrap draws, H x W pixels, R x C cells of q x q px.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.bootstrap import drawn_interval
from glassline.analysis.detection_tables import MEASURES
from glassline.analysis.matching import Index
from glassline.vision.severity import SeverityMap

Real = npt.NDArray[np.float64]

#: Fewer groups than this have no interval.
_LEAST_GROUPS = 5
# Counts of defects in bootstrap draws that are held at once.
_COUNTS = 2_000_000


def labelled_severity(labels: SeverityMap, index_HW: Index, defects: int, cell_px: int) -> Real:
    """Return the highest, mean and integrated severity (N, 3) of each annotated defect.

    A cell that several defects share is that of which it holds the most pixels, the first of equals. A defect so thin
    that it fills half of no cell has NaN.

    Args:
        labels: Severity labels of the image.
        index_HW: 1 + number of the annotated defect at each pixel, 0 outside.
        defects: Number of annotated defects.
        cell_px: Edge of a cell.
    """
    row_P, column_P = np.nonzero(index_HW)
    columns = labels.severity_RC.shape[1]
    cell_P = (row_P // cell_px) * columns + column_P // cell_px
    key_K, pixels_K = np.unique(cell_P * (defects + 1) + index_HW[row_P, column_P], return_counts=True)
    cell_K, number_K = np.divmod(key_K, defects + 1)
    # Each cell's defect with the most pixels stands first among its own.
    order_K = np.lexsort((-pixels_K, cell_K))
    cell_C, first_C = np.unique(cell_K[order_K], return_index=True)
    number_C = number_K[order_K][first_C] - 1
    kept_C = labels.defect_RC.ravel()[cell_C]
    cell_C, number_C = cell_C[kept_C], number_C[kept_C]
    severity_C = labels.severity_RC.ravel()[cell_C].astype(np.float64)
    height, width = (np.minimum(cell_px, size - at * cell_px)
                     for at, size in zip(np.divmod(cell_C, columns), index_HW.shape, strict=True))  # fmt: skip
    told_N3 = np.full((defects, 3), np.nan)
    for number in np.unique(number_C):
        of_it = number_C == number
        integrated = (severity_C * height * width)[of_it].sum()
        told_N3[number] = severity_C[of_it].max(), severity_C[of_it].mean(), integrated
    return told_N3


def severity_agreement(annotated: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return how predicted severity ranks defects beside labelled severity, over annotated defects with a match.

    Args:
        annotated: See `DetectionTables.annotated`.
        seed: Seed of the bootstrap over groups.

    Returns:
        A row per measure: `measure`, `defects`, `spearman`, `low`, `high` (95 %). NaN where a rank correlation is not
        defined, and interval ends of fewer than 5 groups.
    """
    rows = []
    for name in MEASURES:
        told = annotated[annotated["partner"] > 0].dropna(subset=[name, f"other_{name}"])
        group_N, names = pd.factorize(told["group"])
        labelled_N, predicted_N = (told[column].to_numpy(np.float64) for column in (name, f"other_{name}"))
        whole = float(rank_correlation(labelled_N, predicted_N, np.ones((1, len(told))))[0])
        low = high = np.nan
        if np.isfinite(whole) and len(names) >= _LEAST_GROUPS:
            low, high = _interval(labelled_N, predicted_N, group_N, whole, seed)
        rows.append({"measure": name, "defects": len(told), "spearman": whole, "low": low, "high": high})
    return pd.DataFrame(rows)


def _interval(
    first_N: Real, second_N: Real, group_N: npt.NDArray[np.intp], whole: float, seed: int
) -> tuple[float, float]:
    """Return the interval of a rank correlation over draws of groups."""

    def drawn(times_BG: Real) -> Real:
        parts = np.array_split(times_BG, -(-times_BG.shape[0] * len(first_N) // _COUNTS))
        found_B = np.concatenate([rank_correlation(first_N, second_N, part_bG[:, group_N]) for part_bG in parts])
        # A draw of one value alone says nothing, and is not to move the ends.
        return np.where(np.isfinite(found_B), found_B, whole)

    return drawn_interval(int(group_N.max()) + 1, drawn, seed)


def rank_correlation(first_N: Real, second_N: Real, times_BN: npt.NDArray[np.number]) -> Real:
    """Return Spearman's correlation (B) of samples that count so many times each; NaN where one side has one value."""
    weight_BN = np.asarray(times_BN, np.float64)
    if not len(first_N):
        return np.full(len(weight_BN), np.nan)
    total_B1 = weight_BN.sum(axis=1, keepdims=True)
    # Mean rank of all samples, with ties or without.
    apart = [_ranks(values_N, weight_BN) - (total_B1 + 1) / 2 for values_N in (first_N, second_N)]
    covariance_B, first_B, second_B = (
        (weight_BN * one_BN * other_BN).sum(axis=1)
        for one_BN, other_BN in (apart, (apart[0], apart[0]), (apart[1], apart[1]))
    )
    spread_B = np.sqrt(first_B * second_B)
    return np.where(spread_B > 0, covariance_B / np.where(spread_B > 0, spread_B, 1), np.nan)


def _ranks(values_N: Real, weight_BN: Real) -> Real:
    """Return ranks from 1 (B, N); equal values share their mean rank."""
    order_N = np.argsort(values_N, kind="stable")
    _, first_U, place_N = np.unique(values_N[order_N], return_index=True, return_inverse=True)
    weight_BU = np.add.reduceat(weight_BN[:, order_N], first_U, axis=1)
    rank_BU = weight_BU.cumsum(axis=1) - weight_BU + (weight_BU + 1) / 2
    rank_BN = np.empty_like(weight_BN)
    rank_BN[:, order_N] = rank_BU[:, place_N]
    return rank_BN

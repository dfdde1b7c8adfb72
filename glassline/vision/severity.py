"""Severity labels: how far each cell of an annotated defect stands out from the clean cells beside it.

Source: He and Liu 2020 (system E of the reading), section III.C, steps 1 to 5. The paper leaves open what a defect
cell is, how two references make one score and which factor leads to 0 to 12; ours are named where they stand.
Shapes: H x W pixels, R x C cells of q x q px.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glassline.errors import DataError

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.floating]
Levels = npt.NDArray[np.int64]

#: Severity of a cell that stands out by CUT_LEVELS or more; a fixed factor, so that images can be compared.
LARGEST = 12.0
#: Scores are cut here, in grey levels of 8 bit (lambda of eq. 2).
CUT_LEVELS = 500


@dataclass(frozen=True)
class SeverityMap:
    """Labels of an image.

    Attributes:
        severity_RC: 0 to LARGEST, 0 outside defect cells.
        defect_RC: Cells of which at least half is masked.
        one_sided: Rows of cells with a defect cell that has a clean one on one side only: that one is the reference.
        degenerate: Rows with a defect cell but no clean one: the reference is the median clean cell of the image.
    """

    severity_RC: Real
    defect_RC: Mask
    one_sided: tuple[int, ...]
    degenerate: tuple[int, ...]


def label_severity(grey_HW: Grey, mask_HW: Mask, cell_px: int) -> SeverityMap:
    """Return the severity of each cell.

    A clean cell holds no masked pixel; cells in between are neither defect nor reference. References of a defect cell
    are the nearest clean cells left and right in its row; scores against both are averaged. Sizes that cells do not
    divide are filled up with their last row and column.

    Args:
        grey_HW: Grey levels of 8 bit.
        mask_HW: The annotated defect.
        cell_px: Edge of a cell: 4, 2 or 1.

    Returns:
        Maps of ceil(H / q) x ceil(W / q).

    Raises:
        DataError: Sizes differ, the image is not 8 bit grey, the mask not of true and false or empty, or no cell is
            clean.
    """
    if grey_HW.ndim != 2 or grey_HW.dtype != np.uint8:
        raise DataError(
            f"severity is labelled on 8-bit grey (H, W), got {grey_HW.dtype} {grey_HW.shape}; map it to 8 bit first"
        )
    if mask_HW.dtype != np.bool_:
        raise DataError(f"a mask must be of true and false, got {mask_HW.dtype}; compare it with 0 first")
    if grey_HW.shape != mask_HW.shape:
        raise DataError(
            f"image and mask must be of one size, got {grey_HW.shape[1]} x {grey_HW.shape[0]} px and "
            f"{mask_HW.shape[1]} x {mask_HW.shape[0]} px; export the mask at the image's size"
        )
    if not mask_HW.any():
        raise DataError("a mask must mark a defect, got an empty one; clean images have no severity to label")
    least_RC, most_RC, masked_RC = _cells(grey_HW, mask_HW, cell_px)
    defect_RC, clean_RC = masked_RC >= 0.5, masked_RC == 0
    if not clean_RC.any():
        raise DataError(
            f"a mask must leave a clean cell of {cell_px} px to compare with, got one that covers the image; mark the "
            "defect alone"
        )
    columns = np.arange(clean_RC.shape[1])
    left_RC = np.maximum.accumulate(np.where(clean_RC, columns, -1), axis=1)
    right_RC = np.minimum.accumulate(np.where(clean_RC, columns, len(columns))[:, ::-1], axis=1)[:, ::-1]
    row_N, column_N = np.nonzero(defect_RC)
    left_N, right_N = left_RC[row_N, column_N], right_RC[row_N, column_N]
    has_left_N, has_right_N = left_N >= 0, right_N < len(columns)
    least_N, most_N = least_RC[row_N, column_N], most_RC[row_N, column_N]
    total_N = np.zeros(len(row_N))
    for reference_N, there_N in ((left_N, has_left_N), (right_N, has_right_N)):
        at = row_N, np.clip(reference_N, 0, len(columns) - 1)
        total_N += np.where(there_N, _score(least_N, most_N, least_RC[at], most_RC[at]), 0)
    sides_N = has_left_N.astype(int) + has_right_N
    median = np.median(least_RC[clean_RC]), np.median(most_RC[clean_RC])
    score_N = np.where(sides_N > 0, total_N / np.maximum(sides_N, 1), _score(least_N, most_N, *median))
    severity_RC = np.zeros(defect_RC.shape, np.float32)
    severity_RC[row_N, column_N] = np.minimum(score_N, CUT_LEVELS) * (LARGEST / CUT_LEVELS)
    return SeverityMap(
        severity_RC, defect_RC, tuple(np.unique(row_N[sides_N == 1]).tolist()),
        tuple(np.unique(row_N[sides_N == 0]).tolist()),
    )  # fmt: skip


def _score(least_N: Levels, most_N: Levels, clean_least: Real | Levels, clean_most: Real | Levels) -> Real:
    """Return d0 + d1 of a defect cell against a clean one: extremes apart, and the defect's highest above its lowest.

    d0 = min(|m_D - m_N|, |M_D - M_N|), d1 = |M_D - m_N|.
    """
    near_N = np.minimum(np.abs(least_N - clean_least), np.abs(most_N - clean_most))
    return np.asarray(near_N + np.abs(most_N - clean_least), np.float64)


def _cells(grey_HW: Grey, mask_HW: Mask, cell_px: int) -> tuple[Levels, Levels, Real]:
    """Return the lowest and highest level and the masked share of each cell."""
    beyond = tuple((0, -size % cell_px) for size in grey_HW.shape)
    rows, columns = (-(-size // cell_px) for size in grey_HW.shape)
    shape = rows, cell_px, columns, cell_px
    blocks = np.pad(grey_HW, beyond, "edge").reshape(shape)
    masked_RC = np.pad(mask_HW, beyond, "edge").reshape(shape).mean(axis=(1, 3))
    return blocks.min(axis=(1, 3)).astype(np.int64), blocks.max(axis=(1, 3)).astype(np.int64), masked_RC

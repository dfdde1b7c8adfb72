"""Which threshold a severity map is filtered with: that of the highest mean IoU with annotated defects.

Source: He and Liu 2020 (system E of the reading), section III.A.2 and IV.G. Maps are counted one by one, at every
threshold at once, and not kept. Cells of a map are counted with the pixels that they stand for.
Shapes: H x W pixels, R x C cells of q x q px, T thresholds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.segmentation import BINS, f1_of, from_threshold, ratio
from glassline.errors import DataError
from glassline.vision.severity import LARGEST

Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.floating]

#: Thresholds are multiples of it, 3 / 64: exact in binary, so that filtering by one finds what was counted.
STEP = LARGEST / BINS


@dataclass(frozen=True)
class FilterThreshold:
    """A threshold and what it does.

    Attributes:
        threshold: Severity from which a cell is defective.
        mean_iou: Mean IoU over the images with an annotated defect.
        f1: F1 of the pixels of all images together.
        precision: Their precision, NaN where none is predicted.
        recall: Their recall.
    """

    threshold: float
    mean_iou: float
    f1: float
    precision: float
    recall: float


class MeanIouCurve:
    """Mean IoU of severity maps at every threshold, of any number of images."""

    def __init__(self) -> None:
        """Start without an image."""
        self._predicted_T, self._hit_T = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
        self._iou_T = np.zeros(BINS)
        self._annotated, self._defective = 0, 0

    def add(self, severity_RC: Real, mask_HW: Mask, cell_px: int) -> None:
        """Count one image; without an annotated defect it counts for precision and F1 alone.

        Args:
            severity_RC: Severity of ceil(H / q) x ceil(W / q) cells, 0 to 12.
            mask_HW: Annotated pixels of the image.
            cell_px: Edge of a cell.

        Raises:
            DataError: Sizes differ, or a severity leaves 0 to 12.
        """
        bin_N = _bins(severity_RC, mask_HW.shape, cell_px).ravel()
        area_RC = np.outer(*(np.minimum(cell_px, size - np.arange(0, size, cell_px)) for size in mask_HW.shape))
        masked_RC = _masked(mask_HW, cell_px)
        predicted_T, hit_T = from_threshold(bin_N, area_RC.ravel()), from_threshold(bin_N, masked_RC.ravel())
        annotated = int(hit_T[0])
        self._predicted_T += predicted_T
        self._hit_T += hit_T
        self._annotated += annotated
        if annotated:
            self._iou_T += hit_T / (predicted_T + annotated - hit_T)
            self._defective += 1

    def curve(self) -> pd.DataFrame:
        """Return the fields of `FilterThreshold` at every multiple of STEP, rising from STEP.

        Raises:
            DataError: No image with a defect was counted.
        """
        if not self._defective:
            raise DataError(
                "the threshold needs at least one image with an annotated defect, got none; validate on images with "
                "defects"
            )
        precision_T = ratio(self._hit_T, self._predicted_T)
        recall_T = self._hit_T / self._annotated
        told = {
            "threshold": np.arange(BINS) * STEP, "mean_iou": self._iou_T / self._defective,
            "f1": f1_of(precision_T, recall_T), "precision": precision_T, "recall": recall_T,
        }  # fmt: skip
        # At 0 every pixel is predicted: no threshold.
        return pd.DataFrame(told).iloc[1:].reset_index(drop=True)

    def best(self) -> FilterThreshold:
        """Return the threshold of the highest mean IoU, the middle one of equals: to be asked of validation images.

        Raises:
            DataError: No image with a defect was counted.
        """
        curve = self.curve()
        best_N = np.flatnonzero(curve["mean_iou"] == curve["mean_iou"].max())
        return FilterThreshold(*(float(value) for value in curve.iloc[int(best_N[len(best_N) // 2])]))


def pixel_scores(severity_RC: Real, cell_px: int, size_px: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return severity / 12 of each pixel (H, W), rounded down to k / 256: what `PixelCounts` counts with a tolerance.

    A threshold of `MeanIouCurve` is 12 times one of `PixelCounts`, and both then find the same pixels.

    Args:
        severity_RC: Severity of ceil(H / q) x ceil(W / q) cells, 0 to 12.
        cell_px: Edge of a cell.
        size_px: Height and width of the image.

    Raises:
        DataError: Sizes differ, or a severity leaves 0 to 12.
    """
    score_RC = _bins(severity_RC, size_px, cell_px) / np.float32(BINS)
    height, width = size_px
    return np.asarray(score_RC.repeat(cell_px, axis=0)[:height].repeat(cell_px, axis=1)[:, :width], np.float32)


def _bins(severity_RC: Real, size_px: tuple[int, ...], cell_px: int) -> npt.NDArray[np.uint8]:
    """Return the number of the highest threshold that each cell reaches."""
    shape = tuple(-(-size // cell_px) for size in size_px)
    if severity_RC.shape != shape or not (severity_RC.min() >= 0 and severity_RC.max() <= LARGEST):
        raise DataError(
            f"severity must lie in 0 to {LARGEST:g} and have {' x '.join(map(str, shape))} cells, got "
            f"{severity_RC.min(initial=0):g} to {severity_RC.max(initial=0):g} and {severity_RC.shape}; take the "
            "detector's map of the whole image"
        )
    return np.minimum(severity_RC.astype(np.float64) / STEP, BINS - 1).astype(np.uint8)


def _masked(mask_HW: Mask, cell_px: int) -> npt.NDArray[np.int64]:
    """Return how many px of each cell are masked."""
    height, width = mask_HW.shape
    filled_HW = np.pad(mask_HW, ((0, -height % cell_px), (0, -width % cell_px)))
    by_row = filled_HW.reshape(-1, cell_px, filled_HW.shape[1]).sum(axis=1, dtype=np.int32)
    return np.asarray(by_row.reshape(len(by_row), -1, cell_px).sum(axis=2), np.int64)

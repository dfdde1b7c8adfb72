"""How well score maps segment: precision, recall, F1 and IoU at every threshold, with or without a tolerance.

A predicted pixel counts when an annotated one lies within an elliptic neighbourhood of the tolerance, an annotated one
when a predicted one does; pixels are pooled over images. Maps are counted one by one and not kept.

Shapes: h x w pixels of a map, T thresholds.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.errors import DataError

Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.floating]
Counts = npt.NDArray[np.int64]

#: Thresholds are k / 256: what is counted is exact at each of them.
BINS = 256


@dataclass(frozen=True)
class PixelMetrics:
    """Figures at one threshold.

    Attributes:
        threshold: Score from which a pixel is predicted.
        precision: Share of predicted pixels near an annotated one, NaN where none is predicted.
        recall: Share of annotated pixels near a predicted one, NaN where none is annotated.
        f1: Harmonic mean of both, 0 where one of them is 0 or none.
        iou: Intersection over union of all images' pixels together, without tolerance; NaN where there is no pixel.
        mean_iou: Mean over images, without tolerance; an image with neither kind of pixel counts as 1.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    iou: float
    mean_iou: float


class PixelCounts:
    """Pixels by score, of any number of images."""

    def __init__(self, tolerance_px: int = 0) -> None:
        """Count with a tolerance in px of the maps."""
        edge = 2 * tolerance_px + 1
        self._near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge))
        self._predicted_T, self._right_T, self._found_T, self._hit_T = (np.zeros(BINS, np.int64) for _ in range(4))
        self._iou_T = np.zeros(BINS)
        self._annotated, self._images = 0, 0

    def add(self, score_hw: Real, truth_hw: Mask) -> None:
        """Count one image.

        Args:
            score_hw: Likeness, 0 to 1.
            truth_hw: Annotated pixels, of the same size; see `in_blocks`.

        Raises:
            DataError: Sizes differ, or a score leaves 0 to 1.
        """
        if score_hw.shape != truth_hw.shape or not (score_hw.min() >= 0 and score_hw.max() <= 1):
            raise DataError(
                f"scores must lie in 0 to 1 and have the size of the annotated mask, got {score_hw.min():g} to "
                f"{score_hw.max():g}, {score_hw.shape} and {truth_hw.shape}; bring the mask to the map's blocks"
            )
        bin_hw = np.minimum(score_hw * BINS, BINS - 1).astype(np.uint8)
        truth_hw = np.asarray(truth_hw, np.bool_)
        near_truth_hw = cv2.dilate(truth_hw.astype(np.uint8), self._near) > 0
        predicted_T, hit_T = from_threshold(bin_hw.ravel()), from_threshold(bin_hw[truth_hw])
        annotated = int(truth_hw.sum())
        self._predicted_T += predicted_T
        self._hit_T += hit_T
        self._right_T += from_threshold(bin_hw[near_truth_hw])
        self._found_T += from_threshold(np.asarray(cv2.dilate(bin_hw, self._near), np.uint8)[truth_hw])
        union_T = predicted_T + annotated - hit_T
        self._iou_T += np.where(union_T > 0, hit_T / np.maximum(union_T, 1), 1)
        self._annotated += annotated
        self._images += 1

    def curve(self) -> pd.DataFrame:
        """Return the fields of `PixelMetrics` at every threshold, rising from 1 / 256.

        Raises:
            DataError: No image was counted.
        """
        if not self._images:
            raise DataError("pixel metrics need at least one image, got none; add some")
        precision_T = ratio(self._right_T, self._predicted_T)
        recall_T = ratio(self._found_T, np.full(BINS, self._annotated))
        told = {
            "threshold": np.arange(BINS) / BINS, "precision": precision_T, "recall": recall_T,
            "f1": f1_of(precision_T, recall_T),
            "iou": ratio(self._hit_T, self._predicted_T + self._annotated - self._hit_T),
            "mean_iou": self._iou_T / self._images,
        }  # fmt: skip
        # At 0 every pixel is predicted: no threshold.
        return pd.DataFrame(told).iloc[1:].reset_index(drop=True)

    def at(self, threshold: float) -> PixelMetrics:
        """Return the figures at the k / 256 nearest to a threshold.

        Raises:
            DataError: No image was counted.
        """
        curve = self.curve()
        return _row(curve, int(np.abs(curve["threshold"].to_numpy() - threshold).argmin()))

    def best(self) -> PixelMetrics:
        """Return the figures at the lowest threshold of the highest F1: to be asked of validation images.

        Raises:
            DataError: No image was counted.
        """
        curve = self.curve()
        return _row(curve, int(curve["f1"].to_numpy().argmax()))


def in_blocks(mask_HW: Mask, block_px: int) -> Mask:
    """Return which blocks of a mask hold a pixel of it (ceil(H / q), ceil(W / q)): the mask of a score map's size."""
    height, width = mask_HW.shape
    filled_HW = np.pad(mask_HW, ((0, -height % block_px), (0, -width % block_px)))
    blocks = filled_HW.reshape(filled_HW.shape[0] // block_px, block_px, filled_HW.shape[1] // block_px, block_px)
    return np.asarray(blocks.any(axis=(1, 3)))


def _row(curve: pd.DataFrame, place: int) -> PixelMetrics:
    return PixelMetrics(*(float(value) for value in curve.iloc[place]))


def from_threshold(bin_N: npt.NDArray[np.uint8], weight_N: Counts | None = None) -> Counts:
    """Return how many reach each of the thresholds 0 to BINS - 1; with weights, how much of those weighs."""
    in_bin_T = np.bincount(bin_N, weight_N, BINS)
    return np.asarray(in_bin_T[::-1].cumsum()[::-1], np.int64)


def ratio(part_T: Counts, of_T: Counts) -> npt.NDArray[np.float64]:
    """Return shares, NaN of nothing."""
    return np.where(of_T > 0, part_T / np.maximum(of_T, 1), np.nan)


def f1_of(precision_T: npt.NDArray[np.float64], recall_T: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return harmonic means, 0 where one of both is 0 or not defined."""
    precision_T, recall_T = np.nan_to_num(precision_T), np.nan_to_num(recall_T)
    both_T = precision_T + recall_T
    return np.asarray(2 * precision_T * recall_T / np.where(both_T > 0, both_T, 1))

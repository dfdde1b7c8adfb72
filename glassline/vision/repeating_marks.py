"""Marks that repeat in one place over a window of images: found and outlined.

Source: Yu et al. 2020 (system D of the reading), section 3.4.
Shapes: K images, H x W pixels of the view, h x w pixels of a mark's box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import ndimage

from glassline.settings import Settings
from glassline.vision.clipped_means import balanced_signs
from glassline.vision.defects import join_clusters
from glassline.vision.mark_layout import without_layout
from glassline.vision.mark_place import Place, good_gradients, medians, padded, read_gradients, within
from glassline.vision.mark_shape import integrate, mark_mask, trimmed
from glassline.vision.median_gradients import Levels
from glassline.vision.window_strength import ImageRows, Reference, WindowStrength

Real = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Around what is strong a mark may go on where it is weaker.
_LOW_SIGMA = 4.0
# Parts of one strong place that lie closer are one mark, px; a faint mark has wide gaps.
_JOIN_PX, _JOIN_FAINT_PX, _FAINT = 8.0, 32.0, 3.0
_GROWN_PX, _REACH_PX = 4, 20.0
#: Pixels around a mark that its gradients are read with.
PAD_PX = 12
# Crumbs beside a mark are none; nor is what the same images give when half of them are turned.
_LEAST_WEIGHT, _LEAST_NOISES = 0.05, 1.5


class RootCauseSettings(Settings):
    """What counts as a mark that the line makes."""

    window: int = Field(30, ge=3, le=1000, description="consecutive images that are looked at together")
    false_alarm_rate: float = Field(
        0.001, gt=0, le=0.1, description="chance that a window without a common mark gives a finding"
    )


@dataclass(frozen=True)
class Mark:
    """A mark that repeats.

    Attributes:
        bbox_px: x, y, width, height in px.
        mask_hw: Its pixels within the box.
        levels_hw: Its grey levels within the box, above or below what is around.
        magnitude_hw: Magnitude of the median gradient within the box, in grey levels per px.
        strength: Strongest place, in sigmas.
        confidence: 1 - the probability that a clean window shows anything as strong, 0 to 1.
        window: First image of the window in which it was found first, and the one after its last.
        images: Numbers of the images that show it.
        image_error: Expected share of images told wrongly, 0 to 0.5.
    """

    bbox_px: tuple[int, int, int, int]
    mask_hw: Mask
    levels_hw: Real
    magnitude_hw: Real
    strength: float
    confidence: float
    window: tuple[int, int]
    images: tuple[int, ...]
    image_error: float


def find_marks(
    images: ImageRows, numbers: Sequence[int], found: WindowStrength, rate: float, reference: Reference | None = None
) -> list[Mark]:
    """Return the marks of a window, the strongest first; which images show them is not known yet.

    Args:
        images: The view.
        numbers: Which of its images are in the window, in a row.
        found: What `window_strength` says of them.
        rate: Chance of a finding in a clean window.
        reference: Good images, as given to `window_strength`.
    """
    strength_HW = found.strength_HW
    threshold = found.tail.threshold(found.squares, rate)
    low_HW = (strength_HW >= min(_LOW_SIGMA, threshold)).astype(np.uint8)
    index_HW = cv2.connectedComponents(low_HW, connectivity=8)[1]
    marks = []
    for number, place in enumerate(ndimage.find_objects(index_HW), 1):
        if place is None or strength_HW[place].max() < threshold:
            continue
        inside_hw = (index_HW[place] == number) & (strength_HW[place] > 0)
        if strength_HW[place][inside_hw].max() >= threshold:
            marks += _outlined(images, numbers, place, inside_hw, found, threshold, reference)
    return sorted(marks, key=lambda mark: (-mark.strength, mark.bbox_px))


def _outlined(
    images: ImageRows, numbers: Sequence[int], place: Place, inside_hw: Mask,
    found: WindowStrength, threshold: float, reference: Reference | None,
) -> list[Mark]:  # fmt: skip
    """Return the marks that a strong place turns out to be, once its gradients are integrated."""
    strength_HW = found.strength_HW
    outer = padded(place, images.size_px, PAD_PX)
    near_hw = np.zeros([part.stop - part.start for part in outer], np.bool_)
    near_hw[within(place, outer)] = inside_hw
    near_hw = cv2.dilate(near_hw.astype(np.uint8), np.ones((2 * _GROWN_PX + 1,) * 2, np.uint8)) > 0
    gradients_K2hw = read_gradients(images, numbers, outer)
    good_K2hw = good_gradients(reference, outer, gradients_K2hw)
    median_2hw = medians(gradients_K2hw)
    noise_2hw = _turned_median(gradients_K2hw, median_2hw)
    near_hw = without_layout(gradients_K2hw, median_2hw, near_hw)
    median_2hw = median_2hw - medians(good_K2hw)
    levels_hw, noise_hw = (
        integrate(one_2hw[0] * near_hw, one_2hw[1] * near_hw, _REACH_PX) for one_2hw in (median_2hw, noise_2hw)
    )
    faint = bool(strength_HW[place][inside_hw].max() < _FAINT * threshold)
    mask_hw = mark_mask(levels_hw, noise_hw, near_hw, faint)
    marks = []
    clusters = _clusters(mask_hw, levels_hw, _JOIN_FAINT_PX if faint else _JOIN_PX)
    weights = [float(np.abs(levels_hw[inner][part]).sum()) for part, inner in clusters]
    peaks = [float(np.abs(levels_hw[inner][part]).max()) for part, inner in clusters]
    for (part, inner), weight, peak in zip(clusters, weights, peaks, strict=True):
        crumb = weight < _LEAST_WEIGHT * max(weights) and peak < max(peaks) / 2
        if crumb or weight < _LEAST_NOISES * np.abs(noise_hw[inner][part]).sum():
            continue
        around = tuple(slice(max(one.start - _GROWN_PX, 0), one.stop + _GROWN_PX) for one in inner)
        strength = float(strength_HW[outer][around].max())
        if strength < threshold:
            continue
        top, left = (whole.start + one.start for whole, one in zip(outer, inner, strict=True))
        marks.append(
            Mark(
                (left, top, inner[1].stop - inner[1].start, inner[0].stop - inner[0].start), part,
                levels_hw[inner], np.hypot(*median_2hw)[inner], strength,
                1 - found.tail.probability(strength, found.squares), (numbers[0], numbers[-1] + 1), (), 0.5,
            )
        )  # fmt: skip
    return marks


def _turned_median(gradients_K2hw: Levels, median_2hw: Real) -> Real:
    """Return what the median would be of noise alone (2, h, w): of half of the images what is left of it is turned."""
    signs_K = np.sign(balanced_signs(len(gradients_K2hw), 1, 0)[1])
    left_K2hw = 2 * gradients_K2hw.astype(np.int32) - np.rint(2 * median_2hw).astype(np.int32)
    return medians(left_K2hw * signs_K.astype(np.int32)[:, None, None, None]) / np.float32(2)


def _clusters(mask_hw: Mask, levels_hw: Real, join_px: float) -> list[tuple[Mask, Place]]:
    """Return the parts of a mask that lie apart: pixels within the box, and the box."""
    index_hw = join_clusters(mask_hw, 1, join_px)
    found = []
    for number, place in enumerate(ndimage.find_objects(index_hw), 1):
        if place is not None:
            part = index_hw[place] == number
            inner = trimmed(part, levels_hw[place])
            box = tuple(
                slice(one.start + cut.start, one.start + cut.stop) for one, cut in zip(place, inner, strict=True)
            )
            found.append((part[inner], box))
    return found


def same_place(first: Mark, second: Mark) -> bool:
    """Return whether two marks of different windows share a pixel, give or take a few."""
    grown_px = 4
    (x, y, width, height), (other_x, other_y, *_) = first.bbox_px, second.bbox_px
    canvas_hw = np.zeros((height + 2 * grown_px, width + 2 * grown_px), np.uint8)
    canvas_hw[grown_px:-grown_px, grown_px:-grown_px] = first.mask_hw
    grown_hw = cv2.dilate(canvas_hw, np.ones((2 * grown_px + 1,) * 2, np.uint8))
    rows_N, columns_N = np.nonzero(second.mask_hw)
    rows_N, columns_N = rows_N + other_y - y + grown_px, columns_N + other_x - x + grown_px
    inside_N = (rows_N >= 0) & (rows_N < canvas_hw.shape[0]) & (columns_N >= 0) & (columns_N < canvas_hw.shape[1])
    return bool(grown_hw[rows_N[inside_N], columns_N[inside_N]].any())

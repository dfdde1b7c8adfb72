"""Classical candidate finder: denoise, deviation from the background, blobs, segmentation, crop.

Source: the line-scan patches of system A (DESIGN 4A): candidates by contour and blob analysis, 112 x 112
crops around each; a defect larger than the window is resized.
Shapes: H x W pixels of the image.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from glassline.errors import DataError
from glassline.vision.attributes import describe_blob, describe_image
from glassline.vision.normalise import Grey, Real, check_grey
from glassline.vision.salience import Mask, SalienceSettings, salience_maps


class CandidateSettings(SalienceSettings):
    """How candidates are found and cropped."""

    patch_px: int = Field(112, ge=16, le=1024, description="Edge of a patch as models read it, px")
    window_px: int = Field(112, ge=16, le=4096, description="Native window; grows to hold a larger defect, px")
    per_image: int = Field(8, ge=1, le=1000, description="Most candidates kept of one image")
    min_area_px: int = Field(12, ge=1, description="Smallest blob, px")
    join_px: int = Field(5, ge=1, le=99, description="Blobs closer than this are one, px")
    threshold_sigma: float = Field(4.0, gt=0, description="Contrast of a blob in robust sigmas of its map")
    glass: Literal["whole", "dark"] = Field("whole", description="Where: everywhere, or the largest dark plate")
    always_one: bool = Field(True, description="Without a blob, yield the most salient place")


@dataclass(frozen=True)
class Candidate:
    """A place that may be a defect.

    Attributes:
        x_px: Left edge of the box.
        y_px: Top edge of the box.
        width_px: Width of the box.
        height_px: Height of the box.
        attributes: Finite numbers that describe blob, surroundings and image.
        mask_HW: Segmentation inside the box.
    """

    x_px: int
    y_px: int
    width_px: int
    height_px: int
    attributes: dict[str, float] = field(repr=False)
    mask_HW: Mask = field(repr=False)


@dataclass(frozen=True)
class _Blob:
    box: tuple[int, int, int, int]
    mask_HW: Mask
    strength: float
    rank: int
    source: int


def find_candidates(grey_HW: Grey, settings: CandidateSettings, systematic_HW: Mask | None = None) -> list[Candidate]:
    """Find places that may be defects, from the image alone.

    Args:
        grey_HW: Grey image, 0 to 255, any size from 3 x 3 px.
        settings: How to find them.
        systematic_HW: True where the rig itself leaves a mark (see `find_systematic`); ignored there.

    Returns:
        Candidates, strongest first, at most `per_image`. With several salience maps, the strongest of
        each map come before the second strongest of any.

    Raises:
        DataError: The array is no grey 8-bit image, or the systematic mask is of another size.
    """
    check_grey(grey_HW)
    glass_HW = find_glass(grey_HW, settings.glass)
    if systematic_HW is not None:
        if systematic_HW.shape != grey_HW.shape:
            raise DataError(
                f"the systematic mask must be of the image's size {grey_HW.shape}, got {systematic_HW.shape}; "
                "find it again on images of this size"
            )
        glass_HW &= ~systematic_HW
    maps = salience_maps(grey_HW, settings, glass_HW)
    blobs = [blob for source, z_HW in enumerate(maps.values()) for blob in _blobs(z_HW, settings, source)]
    blobs = _without_doubles(sorted(blobs, key=lambda blob: (blob.rank, -blob.strength)), settings.per_image)
    if not blobs and settings.always_one:
        blobs = [_most_salient(maps["fine"])]
    context = describe_image(grey_HW, maps, [blob.strength for blob in blobs])
    return [_described(grey_HW, maps, blob, blobs[0].strength, context) for blob in blobs]


def _described(
    grey_HW: Grey, maps: dict[str, Real], blob: _Blob, strongest: float, context: dict[str, float]
) -> Candidate:
    own = describe_blob(grey_HW, maps, blob.box, blob.mask_HW)
    own |= {
        "strength_log": float(np.log1p(blob.strength)),
        "strength_share": blob.strength / max(strongest, 1e-6),
        "rank": float(blob.rank),
        "map": float(blob.source),
    }
    return Candidate(*blob.box, attributes=own | context, mask_HW=blob.mask_HW)


def find_glass(grey_HW: Grey, glass: Literal["whole", "dark"]) -> Mask:
    """Return where defects may lie.

    Args:
        grey_HW: Grey image.
        glass: `whole` is everywhere; `dark` is the hull of the largest dark region, less a rim of 2 % of
            the image's shorter side (a black screen on a lighter table or in a lighter frame).
    """
    whole_HW = np.ones(grey_HW.shape, bool)
    if glass == "whole" or min(grey_HW.shape) < 16:
        return whole_HW
    small_HW = cv2.resize(grey_HW, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    # On a log scale the screen against the table counts as much as the table against a white frame.
    log_HW = np.log1p(small_HW.astype(np.float32)) * (255 / np.log(256))
    _, dark_HW = cv2.threshold(log_HW.astype(np.uint8), 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(dark_HW, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return whole_HW
    plate_HW = np.zeros(small_HW.shape, np.uint8)
    cv2.fillConvexPoly(plate_HW, cv2.convexHull(max(contours, key=cv2.contourArea)), 1)
    rim_px = max(1, round(0.02 * min(small_HW.shape)))
    plate_HW = cv2.erode(plate_HW, np.ones((2 * rim_px + 1,) * 2, np.uint8), borderValue=0)
    full_HW = cv2.resize(plate_HW, grey_HW.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return full_HW if full_HW.any() else whole_HW


def find_systematic(images: Iterable[Grey], settings: CandidateSettings, share: float = 0.5) -> Mask:
    """Find what repeats in place over images of one rig: reflections, hot pixels, dirt on the lens.

    Labels play no part. Images are read one at a time, so memory does not grow with their number.

    Args:
        images: Grey images of one size.
        settings: The settings that candidates will be found with.
        share: Share of the images in which a place must deviate, 0 to 1.

    Returns:
        Mask (H, W), True where the rig leaves a mark, widened by `join_px`.

    Raises:
        DataError: There is no image, or two differ in size.
    """
    counts_HW: Real | None = None
    seen = 0
    for grey_HW in images:
        check_grey(grey_HW)
        if counts_HW is None:
            counts_HW = np.zeros(grey_HW.shape, np.float32)
        elif counts_HW.shape != grey_HW.shape:
            raise DataError(
                f"images of one rig must be of one size, got {counts_HW.shape} and {grey_HW.shape}; "
                "group them by size, or leave the systematic mask out"
            )
        z_HW = salience_maps(grey_HW, settings, find_glass(grey_HW, settings.glass))["fine"]
        counts_HW += np.abs(z_HW) > settings.threshold_sigma
        seen += 1
    if counts_HW is None:
        raise DataError("a systematic mask needs at least one image, got none; check --data")
    repeats_HW = (counts_HW >= share * seen).astype(np.uint8)
    return cv2.dilate(repeats_HW, np.ones((2 * settings.join_px + 1,) * 2, np.uint8)) > 0


def _blobs(z_HW: Real, settings: CandidateSettings, source: int) -> list[_Blob]:
    """Return connected regions over the threshold, dark and bright together, strongest few only."""
    strength_HW = np.abs(z_HW)
    over_HW = (strength_HW > settings.threshold_sigma).astype(np.uint8)
    over_HW = cv2.morphologyEx(over_HW, cv2.MORPH_CLOSE, np.ones((settings.join_px,) * 2, np.uint8))
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(over_HW, connectivity=8)
    if count < 2:
        return []
    chosen_HW = labels_HW > 0
    total = np.bincount(labels_HW[chosen_HW], weights=strength_HW[chosen_HW], minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    # Signal to noise of the best matched filter: mean contrast times the root of the area.
    strength = total / np.sqrt(np.maximum(area, 1))
    keep = [int(i) for i in np.argsort(-strength[1:]) + 1 if area[i] >= settings.min_area_px]
    found = []
    for rank, i in enumerate(keep[: settings.per_image]):
        x, y, width, height = (int(value) for value in stats[i, :4])
        mask_HW = labels_HW[y : y + height, x : x + width] == i
        found.append(_Blob((x, y, width, height), mask_HW, float(strength[i]), rank, source))
    return found


def _without_doubles(blobs: list[_Blob], most: int) -> list[_Blob]:
    """Keep the first few, without those that half lie inside an earlier one of another map."""
    kept: list[_Blob] = []
    for blob in blobs:
        if len(kept) == most:
            break
        if not any(other.source != blob.source and _inside(blob.box, other.box) >= 0.5 for other in kept):
            kept.append(blob)
    return kept


def _inside(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Return the share of a box that lies inside another."""
    width = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    height = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0) / (box[2] * box[3])


def _most_salient(z_HW: Real) -> _Blob:
    """Return a 5 x 5 px box (less at a border) around the strongest deviation."""
    y, x = np.unravel_index(int(np.argmax(np.abs(z_HW))), z_HW.shape)
    left, top = max(int(x) - 2, 0), max(int(y) - 2, 0)
    mask_HW = np.ones(z_HW[top : int(y) + 3, left : int(x) + 3].shape, bool)
    height, width = mask_HW.shape
    return _Blob((left, top, width, height), mask_HW, float(abs(z_HW[y, x])), 0, 0)

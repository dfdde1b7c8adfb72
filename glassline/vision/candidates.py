"""Classical candidate finder: denoise, deviation from the background, blobs, segmentation, crop.

Source: the line-scan patches of system A (DESIGN 4A): candidates by contour and blob analysis, 112 x 112
crops around each; a defect larger than the window is resized.
Shapes: H x W pixels of the image.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from pydantic import Field

from glassline.errors import DataError
from glassline.vision.attributes import describe_blob, describe_image
from glassline.vision.glass import Mask, find_glass
from glassline.vision.normalise import Grey, Real, check_grey
from glassline.vision.salience import SalienceSettings, salience_maps


class CandidateSettings(SalienceSettings):
    """How candidates are found and cropped; the defaults suit line-scan strips, a dozen spots of 10 to 60 px."""

    patch_px: int = Field(112, ge=16, le=1024, description="Edge of a patch as models read it, px")
    window_px: int = Field(112, ge=16, le=4096, description="Native window; grows to hold a larger defect, px")
    per_image: int = Field(24, ge=1, le=1000, description="Most candidates kept of one image")
    min_area_px: int = Field(12, ge=1, description="Smallest blob, px")
    join_px: int = Field(5, ge=1, le=99, description="Blobs closer than this are one, px")
    threshold_sigma: float = Field(5.0, gt=0, description="Contrast of a blob in robust sigmas of its map")
    always_one: bool = Field(True, description="Without a blob, yield the most salient place")


def magnetic_tile_candidates() -> CandidateSettings:
    """Return the preset of ground tiles: streaks along columns; defects of 5 px up to half the tile."""
    return CandidateSettings.parse(
        {
            "per_image": 8,
            "threshold_sigma": 3.0,
            "denoise_px": 1.5,
            "background_px": 12.0,
            "streak_px": 30.0,
            "coarse": True,
            "bands": True,
        }
    )


def phone_screen_candidates() -> CandidateSettings:
    """Return the preset of photographed phones: bright marks on a dark screen, judged by the strongest."""
    return CandidateSettings.parse(
        {"per_image": 2, "threshold_sigma": 6.0, "min_area_px": 20, "join_px": 9, "glass": "dark"}
    )


def dark_field_candidates() -> CandidateSettings:
    """Return the preset of the dark-field rig: bright marks on black, among many specks of dust."""
    return CandidateSettings.parse({"threshold_sigma": 10.0, "min_area_px": 40, "join_px": 3})


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

    @property
    def middle_px(self) -> tuple[float, float]:
        """x and y of the middle of the box."""
        return self.x_px + self.width_px / 2, self.y_px + self.height_px / 2


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


def _blobs(z_HW: Real, settings: CandidateSettings, source: int) -> list[_Blob]:
    """Return connected regions over the threshold, dark and bright together, strongest few only."""
    strength_HW = np.abs(z_HW)
    over_HW = (strength_HW > settings.threshold_sigma).astype(np.uint8)
    joined_HW = cv2.morphologyEx(over_HW, cv2.MORPH_CLOSE, np.ones((settings.join_px,) * 2, np.uint8))
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(joined_HW, connectivity=8)
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
    y, x = divmod(int(np.argmax(np.abs(z_HW))), z_HW.shape[1])
    left, top = max(x - 2, 0), max(y - 2, 0)
    mask_HW = np.ones_like(z_HW[top : y + 3, left : x + 3], np.bool_)
    return _Blob((left, top, mask_HW.shape[1], mask_HW.shape[0]), mask_HW, float(abs(z_HW[y, x])), 0, 0)


def crop_candidate(
    grey_HW: Grey, candidate: Candidate, settings: CandidateSettings
) -> tuple[Grey, tuple[int, int, int]]:
    """Cut the square patch around a candidate; beyond the image's border it is flat.

    Args:
        grey_HW: The image that the candidate was found in, or its normalised form, or its mask.
        candidate: Where.
        settings: Window and patch size.

    Returns:
        The patch (patch_px, patch_px) uint8, and its place in the image: left, top and edge in pixels;
        left and top are negative where it reaches beyond the border.
    """
    crop_px = max(settings.window_px, candidate.width_px, candidate.height_px)
    x = candidate.x_px + (candidate.width_px - crop_px) // 2
    y = candidate.y_px + (candidate.height_px - crop_px) // 2
    return crop_square(grey_HW, x, y, crop_px, settings.patch_px), (x, y, crop_px)


def crop_square(grey_HW: Grey, x_px: int, y_px: int, crop_px: int, patch_px: int) -> Grey:
    """Cut the square of edge `crop_px` at (x, y), flat beyond the border, resized to `patch_px`."""
    height_px, width_px = grey_HW.shape
    left, top = max(x_px, 0), max(y_px, 0)
    right, bottom = min(x_px + crop_px, width_px), min(y_px + crop_px, height_px)
    inside_HW = grey_HW[top:bottom, left:right]
    pads = ((top - y_px, y_px + crop_px - bottom), (left - x_px, x_px + crop_px - right))
    square_HW = inside_HW
    if any(map(any, pads)):
        # Flat, so that the border shows: a mirror would double a mark beside it and hide a broken rim.
        square_HW = np.pad(inside_HW, pads, constant_values=np.uint8(np.median(inside_HW)))
    if crop_px == patch_px:
        return np.ascontiguousarray(square_HW)
    how = cv2.INTER_AREA if crop_px > patch_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square_HW, (patch_px, patch_px), interpolation=how), np.uint8)

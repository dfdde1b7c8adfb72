"""Inspect with a severity detector: system E.

Shapes: H x W pixels, R x C cells.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from pydantic import Field

from glassline.data.image_windows import ImageWindows
from glassline.deploy.bundle import Bundle
from glassline.deploy.detector import Detector
from glassline.deploy.inspection.lines import Found, Image, Judged, Picture
from glassline.deploy.inspection.pixels import Seen, image_path, see
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.units import Unit, ZoneUnit
from glassline.errors import DataError
from glassline.vision.defects import Defect, defect_mask
from glassline.vision.run_lengths import run_lengths
from glassline.vision.severity import LARGEST
from glassline.vision.type_windows import vote_types

#: Type of a defect and its probability.
Vote = tuple[str, float | None]


class FoundDefect(Found):
    """One defect with its severity and size."""

    mask: dict[str, Any] = Field(description="its pixels in the image, as COCO's run lengths: size, counts")
    severity_max: float = Field(description="highest severity of a cell, 0 to 12")
    severity_mean: float = Field(description="mean over its cells")
    severity_integrated: float = Field(description="sum over its cells times their area in px")
    area_px: int = Field(description="area in px")
    length_px: float = Field(description="long side of the narrowest rectangle around it, turned as it lies")
    length_um: float | None = Field(description="the same on the glass, None where the pixel pitch is unknown")
    area_um2: float | None = Field(description="area on the glass")
    width_um: float | None = Field(description="width of the box on the glass")
    height_um: float | None = Field(description="height of the box on the glass")

    @property
    def caption(self) -> str:
        """Type and highest severity."""
        return f"{self.label} {self.severity_max:.1f}".strip()


@dataclass(frozen=True)
class _Opened:
    windows: ImageWindows | None
    image: Image | None
    pitch_um: float | None

    @property
    def size_px(self) -> tuple[int, int]:
        if self.windows is not None:
            return self.windows.size_px
        assert self.image is not None
        return self.image.shape[0], self.image.shape[1]

    def whole(self) -> Image:
        """Return the image."""
        return self.windows.whole() if self.image is None and self.windows else np.asarray(self.image)


class SeverityInspector:
    """Judges an image by the defects that its detector finds and its classifier does not take back."""

    by_glass = False

    def __init__(self, bundle: Bundle, how: Running) -> None:
        """Open the graphs.

        Raises:
            ModelError: The bundle cannot be run.
            SettingsError: A threshold is missing or out of range.
        """
        how.check(bundle.manifest.system, ("f32", "bf16", "int8"), True)
        self.manifest = bundle.manifest
        self.detector = Detector(bundle, how.threads, how.precision, how.runtime, how.device)
        self.runtime, self.precision = self.detector.runtime, self.detector.precision
        self._pitch_um = how.pitch_um

    @property
    def thresholds(self) -> dict[str, Any]:
        """Thresholds that are applied."""
        return self.detector.find.model_dump()

    def read(self, unit: Unit) -> Seen:
        """Open an image; a large one is read window by window later, a zone is read here."""
        detector, pitch_um = self.detector, self._pitch_um
        if pitch_um is None:
            pitch_um = detector.pitch_um
        if isinstance(unit, ZoneUnit):
            if detector.colour:
                raise DataError(f"{unit.name} must be in colour, which is looked at, got a capture; give colour images")
            seen = see(unit, detector.depth_window, None)
            return replace(seen, more=_Opened(None, seen.grey_HW, self._pitch_um or seen.pitch_um))
        opened = _Opened(detector.open(image_path(unit)), None, pitch_um)
        return Seen(unit, np.zeros((0, 0), np.uint8), more=opened)

    def judge(self, seen: Seen) -> Judged:
        """Return the verdict on an image."""
        opened: _Opened = seen.more
        detector, size_px = self.detector, opened.size_px
        severity_RC = detector.score(opened.windows if opened.windows is not None else opened.whole())
        found = detector.defects(severity_RC, size_px)
        if not found:
            return Judged("good", self.manifest.clean_class, product=seen.product, cycle=seen.cycle)
        image = opened.whole()
        kept = [
            (one, vote)
            for one, vote in zip(found, _votes(image, found, detector), strict=True)
            if detector.run_types is None or vote[0] != detector.clean_class
        ]
        if not kept:
            return Judged("good", self.manifest.clean_class, product=seen.product, cycle=seen.cycle)
        defects = tuple(told_defect(one, vote, detector.cell_px, size_px, opened.pitch_um) for one, vote in kept)
        picture = Picture(seen.picture_name, image, np.asarray(severity_RC / LARGEST, np.float32), defects)
        return Judged(
            "defective", defects[0].label, defects=defects, product=seen.product, cycle=seen.cycle, pictures=(picture,)
        )


def _votes(image: Image, found: list[Defect], detector: Detector) -> list[Vote]:
    if detector.run_types is None or detector.window_px is None:
        return [("", None)] * len(found)
    return [*vote_types(image, found, detector.cell_px, detector.run_types, detector.classes, detector.window_px)]


def told_defect(
    one: Defect, vote: Vote, cell_px: int, size_px: tuple[int, int], pitch_um: float | None
) -> FoundDefect:  # fmt: skip
    """Return what is told of a defect."""
    x, y, width, height = one.bbox_px
    longest_px = length_px(one, cell_px)
    return FoundDefect(
        bbox_px=one.bbox_px, mask=run_lengths(defect_mask(one, cell_px, size_px), (x, y), size_px),
        severity_max=one.severity_max, severity_mean=one.severity_mean, severity_integrated=one.severity_integrated,
        label=vote[0], probability=vote[1], area_px=one.area_px,
        length_px=longest_px, length_um=pitch_um and longest_px * pitch_um,
        area_um2=pitch_um and one.area_px * pitch_um**2, width_um=pitch_um and width * pitch_um,
        height_um=pitch_um and height * pitch_um,
    )  # fmt: skip


def length_px(one: Defect, cell_px: int) -> float:
    """Return the long side of the narrowest rectangle around a defect, px."""
    row_N, column_N = np.nonzero(one.mask_rc)
    corners_NK2 = np.stack([column_N, row_N], axis=1)[:, None] + [[0, 0], [0, 1], [1, 0], [1, 1]]
    corners_N2 = np.minimum(corners_NK2.reshape(-1, 2) * cell_px, one.bbox_px[2:])
    return float(max(cv2.minAreaRect(corners_N2.astype(np.float32))[1]))

"""What a severity detector finds on an image: JSON, a row of a table per defect, an overlay.

Shapes: H x W pixels, R x C cells.
"""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from pydantic import Field

from glassline.data.storage import written_whole
from glassline.deploy.detector import Detector
from glassline.errors import StorageError
from glassline.settings import Settings
from glassline.vision.cell_tiles import Image, Severity
from glassline.vision.defects import Defect, DefectSettings, defect_mask
from glassline.vision.run_lengths import run_lengths
from glassline.vision.type_windows import vote_types

FORMAT_VERSION = 1

#: Files of an image's folder.
DETECTION, OVERLAY = "detection.json", "overlay.png"
_BOX = ("x_px", "y_px", "width_px", "height_px")

#: Type of a defect and its probability.
Vote = tuple[str, float | None]


class FoundDefect(Settings):
    """One defect."""

    bbox_px: tuple[int, int, int, int] = Field(description="x, y, width, height in px of the image")
    mask: dict[str, Any] = Field(description="its pixels in the image, as COCO's run lengths: size, counts")
    severity_max: float = Field(description="highest severity of a cell, 0 to 12")
    severity_mean: float = Field(description="mean over its cells")
    severity_integrated: float = Field(description="sum over its cells times their area in px")
    type: str = Field(description="class of the defect, '' where the bundle has no classifier")
    probability: float | None = Field(description="mean probability of the type over the windows that voted")
    area_px: int = Field(description="area in px")
    length_px: float = Field(description="long side of the narrowest rectangle around it, turned as it lies")
    length_um: float | None = Field(description="the same on the glass, None where the pixel pitch is unknown")
    area_um2: float | None = Field(description="area on the glass")
    width_um: float | None = Field(description="width of the box on the glass")
    height_um: float | None = Field(description="height of the box on the glass")


class Detection(Settings):
    """One image."""

    format_version: int = Field(FORMAT_VERSION, description="layout of this file")
    image: str = Field(description="file that was looked at")
    size_px: tuple[int, int] = Field(description="height and width")
    pitch_um: float | None = Field(description="pixel pitch that sizes in um go by")
    model: str = Field(description="name of the network")
    bundle_sha256: str = Field(description="hash of the bundle, its editable thresholds excepted")
    runtime: str = Field(description="what ran the network: openvino or onnxruntime")
    precision: str = Field(description="its arithmetic")
    thresholds: DefectSettings = Field(description="thresholds that were applied")
    called_clean: int = Field(description="what was severe enough, but is clean by the classifier; not listed")
    defects: tuple[FoundDefect, ...] = Field(description="the most severe first")

    @property
    def rows(self) -> pd.DataFrame:
        """A row per defect, for a table of many images; without masks."""
        told = [{"image": self.image, **one.model_dump(exclude={"bbox_px", "mask"})} for one in self.defects]
        boxes = [dict(zip(_BOX, one.bbox_px, strict=True)) for one in self.defects]
        return pd.DataFrame([{**one, **box} for one, box in zip(told, boxes, strict=True)], columns=no_rows().columns)


def no_rows() -> pd.DataFrame:
    """Return the table of no defect: its columns."""
    told = [name for name in FoundDefect.model_fields if name not in ("bbox_px", "mask")]
    return pd.DataFrame(columns=["image", *told, *_BOX])


def forget(folder: Path) -> None:
    """Remove what an earlier detection left of an image that cannot be read any more."""
    if (folder / DETECTION).is_file():
        shutil.rmtree(folder)


def detect_image(path: Path, detector: Detector, folder: Path, pitch_um: float | None = None) -> Detection:
    """Find the defects of an image file and write `FOLDER/detection.json` and `FOLDER/overlay.png`.

    The folder is written whole or not at all, and replaces that of an earlier detection.

    Args:
        path: Image file.
        detector: From a bundle.
        folder: Where the files go.
        pitch_um: Pixel pitch of this image; that of the bundle's training images where None.

    Raises:
        DataError: The image cannot be read, or is not what the detector looks at.
        StorageError: The folder may not be written.
    """
    _check_replaceable(folder)
    opened = detector.open(path)
    pitch = detector.pitch_um if pitch_um is None else pitch_um
    severity_RC = detector.score(opened)
    found, image = detector.defects(severity_RC, opened.size_px), opened.whole()
    votes = _votes(image, found, detector)
    kept = [
        (one, vote)
        for one, vote in zip(found, votes, strict=True)
        if detector.run_types is None or vote[0] != detector.clean_class
    ]
    told = Detection(
        image=str(path), size_px=opened.size_px, pitch_um=pitch, model=detector.model,
        bundle_sha256=detector.bundle_hash, runtime=detector.runtime, precision=detector.precision,
        thresholds=detector.find, called_clean=len(found) - len(kept),
        defects=tuple(_told(one, vote, detector.cell_px, opened.size_px, pitch) for one, vote in kept),
    )  # fmt: skip
    with written_whole(folder) as beside:
        beside.mkdir(parents=True)
        (beside / DETECTION).write_text(told.model_dump_json(indent=2))
        _draw(image, severity_RC, kept, detector, path.name, beside / OVERLAY)
    return told


def _check_replaceable(folder: Path) -> None:
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / DETECTION).is_file()):
        raise StorageError(
            f"{folder} must be free or hold the {DETECTION} of an earlier detection, got something else; "
            "choose another --out"
        )


def _votes(image: Image, found: list[Defect], detector: Detector) -> list[Vote]:
    if detector.run_types is None or detector.window_px is None:
        return [("", None)] * len(found)
    return [*vote_types(image, found, detector.cell_px, detector.run_types, detector.classes, detector.window_px)]


def _told(one: Defect, vote: Vote, cell_px: int, size_px: tuple[int, int], pitch_um: float | None) -> FoundDefect:
    x, y, width, height = one.bbox_px
    length_px = _length_px(one, cell_px)
    return FoundDefect(
        bbox_px=one.bbox_px, mask=run_lengths(defect_mask(one, cell_px, size_px), (x, y), size_px),
        severity_max=one.severity_max, severity_mean=one.severity_mean, severity_integrated=one.severity_integrated,
        type=vote[0], probability=vote[1], area_px=one.area_px,
        length_px=length_px, length_um=pitch_um and length_px * pitch_um,
        area_um2=pitch_um and one.area_px * pitch_um**2, width_um=pitch_um and width * pitch_um,
        height_um=pitch_um and height * pitch_um,
    )  # fmt: skip


def _length_px(one: Defect, cell_px: int) -> float:
    row_N, column_N = np.nonzero(one.mask_rc)
    corners_NK2 = np.stack([column_N, row_N], axis=1)[:, None] + [[0, 0], [0, 1], [1, 0], [1, 1]]
    corners_N2 = np.minimum(corners_NK2.reshape(-1, 2) * cell_px, one.bbox_px[2:])
    return float(max(cv2.minAreaRect(corners_N2.astype(np.float32))[1]))


def _draw(
    image: Image, severity_RC: Severity, kept: list[tuple[Defect, Vote]], detector: Detector, name: str,
    path: Path,
) -> None:  # fmt: skip
    from glassline.analysis.detection_tables import ImageDefects
    from glassline.report.detection_overlay import detection_overlay
    from glassline.report.figures import save_figure

    defects = [one for one, _ in kept]
    found = ImageDefects.found(
        defects, detector.cell_px, (image.shape[0], image.shape[1]), [vote[0] for _, vote in kept],
        [float("nan") if vote[1] is None else vote[1] for _, vote in kept],
    )  # fmt: skip
    title = f"{name}: {len(kept)} defect{'s' * (len(kept) != 1)}"
    save_figure(detection_overlay(image, severity_RC, detector.cell_px, None, found, title), path)

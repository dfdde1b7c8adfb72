"""Write simulated line-scan views as a COCO data set with the places on the glass.

Shapes: H x W pixels of a spot's square.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from glassline.data.storage import check_empty, written_whole
from glassline.errors import SettingsError
from hardware_ingest.line_scan.render import Spot, render_glass
from hardware_ingest.line_scan.settings import (
    CLASSES,
    HEIGHT_PX,
    PITCH_UM,
    SPOTS_PER_GLASS,
    WIDTH_PX,
    LineScanSettings,
)  # fmt: skip
from hardware_ingest.line_scan.spots import RADIUS_PX

# Share of its peak from which a mark counts as seen.
_SEEN = 0.25
# Noise hardly shrinks: the strongest level saves 3 % and takes ten times as long.
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def simulate_line_scan(
    samples: int,
    seed: int,
    out: Path,
    settings: LineScanSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a data set of glasses with annotated spots; the same seed gives the same bytes.

    OUT/images/glass-0000.png and so on, 12 spots on each but the last, and OUT/annotations.json: COCO
    whose images also carry x_mm, y_mm, zone, pitch_um, group (the glass), product and cycle.

    Args:
        samples: Number of annotated spots over all glasses, >= 1.
        seed: Seed of everything drawn, >= 0.
        out: Folder that is missing or empty; it is written whole or not at all.
        settings: What the glasses are; None means all defaults.
        progress: Called with (glasses done, glasses in all).

    Returns:
        Path of annotations.json.

    Raises:
        SettingsError: Samples or seed are out of range.
        StorageError: The folder holds something, or may not be written.
    """
    _check(samples, seed, out)
    settings = settings or LineScanSettings()
    glasses = -(-samples // SPOTS_PER_GLASS)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    with written_whole(out.resolve()) as beside:
        (beside / "images").mkdir(parents=True)
        for glass in range(glasses):
            spots = min(SPOTS_PER_GLASS, samples - glass * SPOTS_PER_GLASS)
            grey_HW, found = render_glass(glass, seed, settings, spots)
            images.append(_image(glass, settings))
            _write_png(beside / "images" / images[-1]["file_name"], grey_HW)
            annotations += [_annotation(len(annotations) + i, glass, spot) for i, spot in enumerate(found, start=1)]
            if progress:
                progress(glass + 1, glasses)
        categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES, start=1)]
        document = {"images": images, "annotations": annotations, "categories": categories}
        (beside / "annotations.json").write_text(json.dumps(document))
    return out / "annotations.json"


def _check(samples: int, seed: int, out: Path) -> None:
    if samples < 1:
        raise SettingsError(f"samples must be >= 1, got {samples}; ask for at least one spot")
    if seed < 0:
        raise SettingsError(f"seed must be >= 0, got {seed}; choose another")
    check_empty(out)


def _image(glass: int, settings: LineScanSettings) -> dict[str, Any]:
    name = f"glass-{glass:04d}"
    return {
        "id": glass + 1, "file_name": f"{name}.png", "width": WIDTH_PX, "height": HEIGHT_PX,
        "x_mm": 0.0, "y_mm": 0.0, "zone": "0", "pitch_um": PITCH_UM, "group": name,
        "product": settings.product, "cycle": settings.cycle,
    }  # fmt: skip


def _annotation(number: int, glass: int, spot: Spot) -> dict[str, Any]:
    """Outline where the mark shows a quarter of its peak, one pixel wider so that no piece is a mere point."""
    strength_HW = np.abs(spot.mark_HW)
    seen_HW = cv2.dilate((strength_HW > _SEEN * strength_HW.max()).astype(np.uint8), np.ones((3, 3), np.uint8))
    left, top = spot.x_px - RADIUS_PX, spot.y_px - RADIUS_PX
    contours, _ = cv2.findContours(
        seen_HW, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top)
    )  # fmt: skip
    x, y, width, height = cv2.boundingRect(seen_HW)
    return {
        "id": number, "image_id": glass + 1, "category_id": CLASSES.index(spot.category) + 1, "iscrowd": 0,
        "bbox": [x + left, y + top, width, height], "area": int(seen_HW.sum()),
        "segmentation": [contour.ravel().tolist() for contour in contours],
    }  # fmt: skip


def _write_png(path: Path, grey_HW: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", grey_HW, _PNG)[1].tobytes())

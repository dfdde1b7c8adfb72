"""What the rig itself leaves on every image: reflections, hot pixels, dirt on the lens.

The mask is found once over a set of images, without labels, and then travels with the model.

Shapes: H x W pixels.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from glassline.errors import DataError
from glassline.vision.candidates import CandidateSettings
from glassline.vision.glass import Mask, find_glass
from glassline.vision.normalise import Grey, Real, check_grey
from glassline.vision.salience import salience_maps

_FILE = "systematic.png"


def find_systematic(images: Iterable[Grey], settings: CandidateSettings, share: float = 0.3) -> Mask:
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


def write_systematic(systematic_HW: Mask, folder: str | Path) -> Path:
    """Write the mask as PNG (255 where the rig leaves a mark) into a folder and return its path."""
    path = Path(folder) / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", systematic_HW.astype(np.uint8) * 255)[1].tobytes())
    return path


def read_systematic(folder: str | Path) -> Mask:
    """Read the mask that `write_systematic` wrote into a folder.

    Raises:
        DataError: The file is missing or no image.
    """
    path = Path(folder) / _FILE
    image_HW = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    if image_HW is None:
        raise DataError(f"{path} must be a PNG mask, got nothing readable; run extract_candidates again")
    return image_HW > 127

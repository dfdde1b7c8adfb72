"""What a perfect detector reaches on cells, of CrackForest's test images."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from glassline.analysis.segmentation import PixelCounts
from glassline.analysis.threshold import pixel_scores
from glassline.bench.measured import Bench, Measured
from glassline.data.store.fetched import fetched
from glassline.errors import DataError
from glassline.vision.severity import LARGEST, label_severity

#: The split of the data's description: 042 has a wrong annotation.
TEST, VALIDATION, WRONG = range(73, 119), (4, 9, 19, 39, 53, 62, 68), 42
TOLERANCES_PX = (0, 2, 5)


def crack_mask(folder: Path, number: int) -> npt.NDArray[np.bool_]:
    """Return the annotated cracks of an image.

    Raises:
        DataError: The annotation is missing.
    """
    from scipy.io import loadmat

    path = folder / "groundTruth" / f"{number:03d}.mat"
    if not path.is_file():
        raise DataError(f"CrackForest must have the annotation {path}, got none; name the folder of `groundTruth`")
    truth = loadmat(str(path))["groundTruth"][0, 0]
    return np.isin(truth["Segmentation"], (2, 4))


def perfect_counts(
    masks: list[npt.NDArray[np.bool_]], greys: list[npt.NDArray[np.uint8]], cell_px: int
) -> dict[int, PixelCounts]:
    """Count the cells that are half masked as a detector's answer, by tolerance in px."""
    counts = {px: PixelCounts(px) for px in TOLERANCES_PX}
    for mask_HW, grey_HW in zip(masks, greys, strict=True):
        cells_RC = label_severity(grey_HW, mask_HW, cell_px).defect_RC * LARGEST
        for one in counts.values():
            one.add(pixel_scores(cells_RC, cell_px, (grey_HW.shape[0], grey_HW.shape[1])), mask_HW)
    return counts


def perfect_detector(bench: Bench) -> Measured:
    """Measure F1 without tolerance of perfect answers on cells of 4, 2 and 1 px."""
    with fetched(bench.data) as folder:
        numbers = list(TEST)[: bench.sized(6, 46, 46)]
        masks = [crack_mask(folder, number) for number in numbers]
        paths = [str(folder / "image" / f"{number:03d}.jpg") for number in numbers]
        greys = [np.asarray(cv2.imread(path, cv2.IMREAD_GRAYSCALE), np.uint8) for path in paths]
    values = {
        f"F1, cells of {cell_px} px": perfect_counts(masks, greys, cell_px)[0].at(0.5).f1 for cell_px in (4, 2, 1)
    }
    return Measured({**values, "images": len(numbers)})

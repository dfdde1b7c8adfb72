"""How well boxes around what is hot tell where defects are.

A box hits a defect when its centre lies in the defect's box, or the IoU of both boxes is at least 0.3; both are told
apart too. A box is false when it touches no pixel of any defect: between both lie boxes that touch a defect but say
badly where it is.
Shapes: N defects and M boxes of an image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import ndimage

from glassline.analysis.operating_point import share_of
from glassline.analysis.segmentation import f1_of
from glassline.errors import DataError
from glassline.vision.annotated_images import Annotated

Bbox = tuple[int, int, int, int]
Flags = npt.NDArray[np.bool_]
#: Number of a defect, and the rows and columns of its box.
Place = tuple[int, tuple[slice, slice]]

#: IoU of boxes from which one hits the other.
BOX_HIT_IOU = 0.3


@dataclass(frozen=True)
class ImageHits:
    """Boxes of one image against its defects, as counts.

    Attributes:
        defects: Annotated defects with a pixel.
        touched: Those that a box touches.
        centred: Those in whose box the centre of a found box lies.
        overlapped: Those whose box has an IoU of 0.3 or more with a found one.
        hit: Those either is true of.
        boxes: Found boxes.
        hitting: Those that hit a defect.
        false: Those that touch none.
        iou: Sum over defects of the highest IoU of their box with a found one.
    """

    defects: int
    touched: int
    centred: int
    overlapped: int
    hit: int
    boxes: int
    hitting: int
    false: int
    iou: float


@dataclass(frozen=True)
class BoxMetrics:
    """Figures of a localisation; a share of nothing is NaN, with the interval 0 to 1.

    Attributes:
        defects: Annotated defects.
        hit: Share of them that a box hits, by centre or by IoU.
        hit_by_centre: Share of them that a box hits by its centre.
        hit_by_iou: Share of them that a box hits by IoU.
        touched: Share of them that a box touches.
        mean_iou: Mean over them of the highest IoU of their box with a found one.
        boxes: Found boxes.
        precision: Share of boxes that hit a defect.
        f1: Harmonic mean of `hit` and `precision`, 0 where one of them is 0 or none.
        false_per_image: Mean number of boxes of an image that touch no defect.
        false_per_clean_image: Mean number of boxes of an image without a defect.
        defective: Images with a defect.
        tpr: Share of them with a box.
        tpr_low: Lower end of its 95 % Wilson interval.
        tpr_high: Upper end of it.
        clean: Images without a defect.
        tnr: Share of them without a box.
        tnr_low: Lower end of its 95 % Wilson interval.
        tnr_high: Upper end of it.
    """

    defects: int
    hit: float
    hit_by_centre: float
    hit_by_iou: float
    touched: float
    mean_iou: float
    boxes: int
    precision: float
    f1: float
    false_per_image: float
    false_per_clean_image: float
    defective: int
    tpr: float
    tpr_low: float
    tpr_high: float
    clean: int
    tnr: float
    tnr_low: float
    tnr_high: float


def image_hits(annotated: Annotated, found: Sequence[Bbox]) -> ImageHits:
    """Compare the boxes of an image, x, y, width and height in px within it, with its defects."""
    return hits_of(annotated, defect_places(annotated), found)


def defect_places(annotated: Annotated) -> list[Place]:
    """Return the number and the box of each defect that has a pixel."""
    places = enumerate(ndimage.find_objects(annotated.index_HW, len(annotated.labels)), 1)
    return [(number, place) for number, place in places if place is not None]


def hits_of(annotated: Annotated, there: Sequence[Place], found: Sequence[Bbox]) -> ImageHits:
    """Compare as `image_hits` does, where `defect_places` is known: it is the same for every threshold."""
    truth_N4 = np.array([[x.start, y.start, x.stop, y.stop] for _, (y, x) in there], np.float64).reshape(-1, 4)
    box_M4 = np.array([[x, y, x + width, y + height] for x, y, width, height in found], np.float64).reshape(-1, 4)
    centred_NM, iou_NM = _centred(truth_N4, box_M4), _iou(truth_N4, box_M4)
    touched_NM = np.zeros(centred_NM.shape, np.bool_)
    for number, (x, y, width, height) in enumerate(found):
        touched_NM[:, number] = np.isin([n for n, _ in there], annotated.index_HW[y : y + height, x : x + width])
    overlapped_NM = iou_NM >= BOX_HIT_IOU
    hit_NM = centred_NM | overlapped_NM
    touched, centred, overlapped, hit = (
        int(flags_NM.any(axis=1).sum()) for flags_NM in (touched_NM, centred_NM, overlapped_NM, hit_NM)
    )
    hitting, false = int(hit_NM.any(axis=0).sum()), int((~touched_NM.any(axis=0)).sum())
    iou = float(iou_NM.max(axis=1, initial=0).sum())
    return ImageHits(len(there), touched, centred, overlapped, hit, len(found), hitting, false, iou)


def _centred(truth_N4: npt.NDArray[np.float64], box_M4: npt.NDArray[np.float64]) -> Flags:
    middle_M2 = (box_M4[:, :2] + box_M4[:, 2:]) / 2
    inside_NM2 = (middle_M2 >= truth_N4[:, None, :2]) & (middle_M2 <= truth_N4[:, None, 2:])
    return np.asarray(inside_NM2.all(axis=2), np.bool_)


def _iou(truth_N4: npt.NDArray[np.float64], box_M4: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    low_NM2 = np.maximum(truth_N4[:, None, :2], box_M4[:, :2])
    high_NM2 = np.minimum(truth_N4[:, None, 2:], box_M4[:, 2:])
    both_NM = np.clip(high_NM2 - low_NM2, 0, None).prod(axis=2)
    area_N, area_M = ((one[:, 2:] - one[:, :2]).prod(axis=1) for one in (truth_N4, box_M4))
    return np.asarray(both_NM / (area_N[:, None] + area_M - both_NM), np.float64)


def box_metrics(images: Sequence[ImageHits]) -> BoxMetrics:
    """Return the figures over images.

    Raises:
        DataError: There is no image.
    """
    if not images:
        raise DataError("a localisation is judged on at least one image, got none; check the folds")
    rows = pd.DataFrame(images)
    total, clean, some = rows.sum(), rows[rows["defects"] == 0], rows[rows["defects"] > 0]

    def share(count: str, of: str) -> float:
        return float(total[count] / total[of]) if total[of] else float("nan")

    recall, precision = share("hit", "defects"), share("hitting", "boxes")
    return BoxMetrics(
        int(total["defects"]), recall, share("centred", "defects"), share("overlapped", "defects"),
        share("touched", "defects"), share("iou", "defects"), int(total["boxes"]), precision,
        float(f1_of(np.array([precision]), np.array([recall]))[0]), float(rows["false"].mean()),
        float(clean["boxes"].mean()), len(some), *share_of(int((some["boxes"] > 0).sum()), len(some)), len(clean),
        *share_of(int((clean["boxes"] == 0).sum()), len(clean)),
    )  # fmt: skip

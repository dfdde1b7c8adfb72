"""Training windows of defects: shifted, turned, mirrored, under other light.

Source: He and Liu 2020 (system E of the reading), sections III.C.2 and III.C.3: blocks around the defect, so that it
appears at different places.
Shapes: P x P pixels of a window, K x K of a crop, K = 2 P.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.patch_variation import contrasted, eight_bit, lit, placed, placement
from glassline.vision.type_windows import SIGNIFICANT, Box, Image, Mask, cut_window, window_corner, window_edge

# Draws of a shift and turn before the defect is put in the middle.
_TRIES = 10


@dataclass(frozen=True)
class TypeCrop:
    """A defect with what lies around it, at the scale of its windows: of one size, however large the defect is.

    Attributes:
        image: (K, K) or (K, K, 3); the defect's centred window is its middle.
        weight_KK: 0 to 255: how much of each pixel is defect.
    """

    image: Image
    weight_KK: npt.NDArray[np.uint8]

    @property
    def window_px(self) -> int:
        """Edge of its windows."""
        return len(self.image) // 2


def type_crop(image: Image, bbox_px: Box, mask_hw: Mask | None, window_px: int) -> TypeCrop:
    """Cut a defect with all that its windows may see.

    Args:
        image: Grey (H, W) or colour (H, W, 3), 8 bit, of any size; mirrored beyond its rim.
        bbox_px: x, y, width, height of the defect.
        mask_hw: Its pixels within the box; None takes all.
        window_px: Edge of what the classifier reads.
    """
    edge_px = window_edge(bbox_px, window_px)
    left, top = window_corner(bbox_px, edge_px)
    before_px = window_px // 2 * (edge_px // window_px)
    corner = left - before_px, top - before_px
    x, y, width, height = bbox_px
    weight_KK = np.zeros((2 * edge_px, 2 * edge_px), np.uint8)
    down, across = y - corner[1], x - corner[0]
    weight_KK[down : down + height, across : across + width] = (
        255 if mask_hw is None else 255 * mask_hw.astype(np.uint8)
    )
    if edge_px > window_px:
        size = 2 * window_px, 2 * window_px
        weight_KK = np.asarray(cv2.resize(weight_KK, size, interpolation=cv2.INTER_AREA), np.uint8)
    return TypeCrop(cut_window(image, corner, 2 * edge_px, 2 * window_px), weight_KK)


def type_patch(crop: TypeCrop, rng: np.random.Generator | None) -> Image:
    """Return a window of a crop: varied, or without `rng` the centred one as it is."""
    window_px = crop.window_px
    if rng is None:
        middle = slice(window_px // 2, window_px // 2 + window_px)
        return np.ascontiguousarray(crop.image[middle, middle])
    levels = placed(crop.image, _significant(crop, rng), window_px).astype(np.float32)
    return eight_bit(lit(contrasted(levels, rng), rng))


def _significant(crop: TypeCrop, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a random placement of a window that holds a significant area of the defect.

    It shifts up to a quarter of the window, as the windows that vote do.
    """
    window_px, total = crop.window_px, int(crop.weight_KK.sum())
    for _ in range(_TRIES):
        x, y = 2 * (window_px // 2) + rng.integers(-(window_px // 4), window_px // 4 + 1, 2)
        across = placement((int(x), int(y)), window_px, rng)
        held_PP = cv2.warpAffine(crop.weight_KK, across, (window_px, window_px), flags=cv2.INTER_LINEAR)
        if int(held_PP.sum()) >= SIGNIFICANT * total:
            return across
    return placement((2 * (window_px // 2), 2 * (window_px // 2)), window_px, rng)

"""Windows of one size over an image, and what each shows: a defect, none, or neither clearly.

Source: system D of the reading, section 3.3: "we first segment the input image into patches". Left open by it, our
reading: overlapping squares, and a label that follows what a window holds.
Shapes: H x W pixels of the image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from glassline.data.captures.window import Window
from glassline.models.settings import PATCH_PX
from glassline.vision.defects import Index
from glassline.vision.type_windows import Image, cut_window

if TYPE_CHECKING:
    from glassline.vision.annotated_images import Annotated

#: Edge of a window and the step to its neighbour, px of the image.
WINDOW_PX, STEP_PX = 128, 64

Corner = tuple[int, int]


@dataclass(frozen=True)
class LabelledWindow:
    """What a window shows.

    Attributes:
        corner_px: x and y of its first pixel.
        label: Type of the defect, None where it touches none.
        share: How much of the defect it holds, of the most that any window holds of it; 0 without one.
    """

    corner_px: Corner
    label: str | None
    share: float


def window_starts(size_px: int, window_px: int, step_px: int) -> list[int]:
    """Return where windows begin along one axis; the last one ends with the image, or reaches beyond a smaller one."""
    last = max(size_px - window_px, 0)
    return [*range(0, last, step_px), last]


def window_part(corner_px: Corner, window_px: int, size_px: tuple[int, int]) -> Window:
    """Return the part of a window that lies within an image of a height and width."""
    (x, y), (height, width) = corner_px, size_px
    return Window(x, y, min(window_px, width - x), min(window_px, height - y))


def as_patch(part: Image, window_px: int) -> Image:
    """Return a window as models read it, (112, 112); a part of one is filled up by reflection."""
    return cut_window(part, (0, 0), window_px, PATCH_PX)


def label_windows(
    annotated: "Annotated", window_px: int, step_px: int, least_overlap: float
) -> tuple[list[LabelledWindow], set[int]]:
    """Return windows over an image and one more on each defect; what is neither defective nor clean is left out.

    A window shows a defect when it holds at least `least_overlap` of the most that any window holds of it: of a small
    defect that is its area, of a large one the window's, and of a long crack what a window can hold of it. Of several
    defects the one of which most is held wins.

    Args:
        annotated: Defects of the image.
        window_px: Edge of a window.
        step_px: Step between windows.
        least_overlap: Share from which a window shows a defect, 0 to 1.

    Returns:
        The windows from top to bottom, those on defects last, and the numbers, from 0, of defects without a pixel.
    """
    index_HW = annotated.index_HW
    rows, columns = (window_starts(size, window_px, step_px) for size in index_HW.shape)
    places = ndimage.find_objects(index_HW, len(annotated.labels))
    centred = [_centred(index_HW, number, place, window_px) for number, place in enumerate(places, 1) if place]
    corners = list(dict.fromkeys([*((x, y) for y in rows for x in columns), *centred]))
    held = [_held(index_HW[window_part(corner, window_px, _size(index_HW)).pixels]) for corner in corners]
    most_N = np.zeros(len(annotated.labels) + 1, np.int64)
    for number_n, px_n in held:
        np.maximum.at(most_N, number_n, px_n)
    found = []
    for corner, (number_n, px_n) in zip(corners, held, strict=True):
        if not len(number_n):
            found.append(LabelledWindow(corner, None, 0.0))
            continue
        share_n = px_n / most_N[number_n]
        best = int(np.where(share_n >= least_overlap, px_n, -1).argmax())
        if share_n[best] >= least_overlap:
            found.append(LabelledWindow(corner, annotated.labels[number_n[best] - 1], float(share_n[best])))
    return found, {number for number, place in enumerate(places) if place is None}


def _size(index_HW: Index) -> tuple[int, int]:
    return index_HW.shape[0], index_HW.shape[1]


def _held(index_hw: Index) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the numbers of the defects that a window touches, and the pixels that it holds of each."""
    number_n, px_n = np.unique(index_hw[index_hw > 0], return_counts=True)
    return number_n, px_n.astype(np.int64)


def _centred(index_HW: Index, number: int, place: Sequence[slice], window_px: int) -> Corner:
    """Return the corner of the window on a defect: on its pixel nearest to its centre of mass, within the image."""
    y_n, x_n = np.nonzero(index_HW[place[0], place[1]] == number)
    nearest = int(np.hypot(y_n - y_n.mean(), x_n - x_n.mean()).argmin())
    middle = place[1].start + x_n[nearest], place[0].start + y_n[nearest]
    x, y = (
        max(0, min(math.ceil(at - window_px / 2), size - window_px))
        for at, size in zip(middle, index_HW.shape[::-1], strict=True)
    )
    return int(x), int(y)

"""From severity of cells to defects: pixel filter, connected components, and what is measured of each.

Source: He and Liu 2020 (system E of the reading), section III.A.2 and III.A.3: scores under T are no defect, clusters
closer than 4 px are one.
Shapes: R x C cells of q x q px of the image, r x c cells of a defect's box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import ndimage, sparse

from glassline.settings import Settings
from glassline.vision.severity import LARGEST

Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.floating]
Index = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]

#: Clusters closer than this are one defect, px of the image.
JOIN_PX = 4.0


class JoinSettings(Settings):
    """Which defective cells are one defect."""

    join_px: float = Field(JOIN_PX, ge=0, description="clusters of cells closer than this are one defect, px")
    least_px: int = Field(0, ge=0, description="area that a defect needs, px")


class DefectSettings(JoinSettings):
    """Which cells are a defect."""

    threshold: float = Field(gt=0, le=LARGEST, description="severity from which a cell is defective: T")


@dataclass(frozen=True)
class Defect:
    """One defect.

    Attributes:
        bbox_px: x, y, width, height in px, within the image.
        mask_rc: Its cells within the box.
        severity_max: Highest severity of a cell, 0 to 12.
        severity_mean: Mean over its cells.
        severity_integrated: Sum over its cells times the cell's area in px.
        area_px: Area of its cells within the image.
    """

    bbox_px: tuple[int, int, int, int]
    mask_rc: Mask
    severity_max: float
    severity_mean: float
    severity_integrated: float
    area_px: int


def find_defects(severity_RC: Real, cell_px: int, size_px: tuple[int, int], settings: DefectSettings) -> list[Defect]:
    """Return the defects of an image, the most severe first.

    Args:
        severity_RC: Severity of each cell, 0 to 12.
        cell_px: Edge of a cell.
        size_px: Height and width of the image; cells may reach beyond.
        settings: Which cells are a defect.
    """
    index_RC = join_clusters(severity_RC >= settings.threshold, cell_px, settings.join_px)
    found = []
    for number, place in enumerate(ndimage.find_objects(index_RC), 1):
        mask_rc = index_RC[place] == number
        top, left = (part.start * cell_px for part in place)
        bottom, right = (min(part.stop * cell_px, size) for part, size in zip(place, size_px, strict=True))
        inside_rc = np.outer(*(_within(part, cell_px, size) for part, size in zip(place, size_px, strict=True)))
        area_px = int((mask_rc * inside_rc).sum())
        if area_px < settings.least_px:
            continue
        severity_N = severity_RC[place][mask_rc]
        found.append(
            Defect(
                (left, top, right - left, bottom - top), mask_rc, float(severity_N.max()), float(severity_N.mean()),
                float((severity_RC[place] * inside_rc)[mask_rc].sum()), area_px,
            )
        )  # fmt: skip
    return sorted(found, key=lambda defect: (-defect.severity_max, defect.bbox_px))


def _within(part: slice, cell_px: int, size_px: int) -> npt.NDArray[np.int64]:
    """Return how many px of each cell of a range lie within the image, along one axis."""
    return np.asarray(np.minimum(cell_px, size_px - np.arange(part.start, part.stop) * cell_px), np.int64)


def defect_mask(defect: Defect, cell_px: int, size_px: tuple[int, int]) -> Mask:
    """Return the pixels of a defect within its box (height, width)."""
    _, _, width, height = defect.bbox_px
    return np.kron(defect.mask_rc, np.ones((cell_px, cell_px), np.bool_))[:height, :width]


def draw_defects(defects: Sequence[Defect], cell_px: int, size_px: tuple[int, int]) -> Index:
    """Return 1 + number of the defect at each pixel of an image, 0 outside."""
    index_HW = np.zeros(size_px, np.int32)
    for number, defect in enumerate(defects, 1):
        x, y, width, height = defect.bbox_px
        index_HW[y : y + height, x : x + width][defect_mask(defect, cell_px, size_px)] = number
    return index_HW


def join_clusters(mask_RC: Mask, cell_px: int = 1, join_px: float = JOIN_PX) -> Index:
    """Return 1 + number of the cluster at each cell, 0 outside; clusters with a gap under join_px are one.

    The gap is what lies between the edges of two cells.
    """
    count, labelled_RC = cv2.connectedComponents(np.ascontiguousarray(mask_RC, np.uint8), connectivity=8)
    index_RC = np.asarray(labelled_RC, np.int32)
    if count <= 2:
        return index_RC
    row_N, column_N = np.nonzero((index_RC > 0) & (cv2.erode(np.asarray(mask_RC, np.uint8), np.ones((3, 3))) == 0))
    pairs = [_touching(index_RC, row_N, column_N, *offset) for offset in _offsets(cell_px, join_px)]
    first_N, second_N = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
    graph = sparse.coo_array((np.ones(len(first_N)), (first_N, second_N)), shape=(count, count))
    _, joined = sparse.csgraph.connected_components(graph, directed=False)
    # Background, cluster 0, touches none: it keeps the number 0.
    return np.asarray(joined[index_RC], np.int32)


def _offsets(cell_px: int, join_px: float) -> list[tuple[int, int]]:
    """Return steps (down, across) to cells that are joined though they do not touch, one of each opposite pair."""
    reach = int(join_px // cell_px) + 1
    steps = range(-reach, reach + 1)
    return [
        (down, across)
        for down in steps
        for across in steps
        if (down, across) > (0, 0)
        and max(abs(down), abs(across)) > 1
        and cell_px * np.hypot(max(abs(down) - 1, 0), max(abs(across) - 1, 0)) < join_px
    ]


def _touching(index_RC: Index, row_N: Places, column_N: Places, down: int, across: int) -> Places:
    """Return the pairs (2, N) of different clusters of which cells at a rim lie one step apart."""
    there_N = row_N + down, column_N + across
    inside_N = (there_N[0] < index_RC.shape[0]) & (there_N[1] >= 0) & (there_N[1] < index_RC.shape[1])
    first_N = index_RC[row_N[inside_N], column_N[inside_N]]
    second_N = index_RC[there_N[0][inside_N], there_N[1][inside_N]]
    apart_N = (second_N > 0) & (first_N != second_N)
    return np.unique(np.stack([first_N[apart_N], second_N[apart_N]]), axis=1).astype(np.int64)

"""Which found defect is which annotated one: one to one, by the IoU of their pixels.

Defects of an image are given as an index image, 1 + number of the defect at each pixel. Of all ways to pair found with
annotated defects that overlap, one with the largest sum of IoU is taken. Pairs above an IoU of 0.5 are the same however
one pairs: two defects cannot both cover more than half of a third.
Shapes: H x W pixels, N annotated and M found defects, P overlapping pairs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from glassline.errors import DataError

Index = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Matches:
    """How defects of an image fit together.

    Attributes:
        annotated_px_N: Pixels of each annotated defect.
        found_px_M: Pixels of each found defect.
        partner_N: Number of the found defect of each annotated one, from 0; -1 where there is none.
        iou_N: IoU with it, 0 where there is none.
        both_px: Pixels of annotated and found defects together.
    """

    annotated_px_N: Counts
    found_px_M: Counts
    partner_N: Counts
    iou_N: Real
    both_px: int

    @property
    def partner_M(self) -> Counts:
        """Number of the annotated defect of each found one, from 0; -1 where there is none."""
        partner_M = np.full(len(self.found_px_M), -1, np.int64)
        matched_N = self.partner_N >= 0
        partner_M[self.partner_N[matched_N]] = np.flatnonzero(matched_N)
        return partner_M


def match_defects(annotated_HW: Index, found_HW: Index, annotated: int, found: int) -> Matches:
    """Match the found defects of an image with its annotated ones.

    Args:
        annotated_HW: 1 + number of the annotated defect at each pixel, 0 outside.
        found_HW: The same of found ones.
        annotated: Number of annotated defects.
        found: Number of found ones.

    Raises:
        DataError: Sizes differ, or an index image holds a number that there is not.
    """
    for index_HW, count in ((annotated_HW, annotated), (found_HW, found)):
        if index_HW.shape != annotated_HW.shape or not (index_HW.min() >= 0 and index_HW.max() <= count):
            raise DataError(
                f"index images must be of one size and hold 0 to the number of defects, got {annotated_HW.shape}, "
                f"{found_HW.shape} and {index_HW.min()} to {index_HW.max()} of {count}; draw both on the same image"
            )
    there_HW = annotated_HW > 0
    both_HW = there_HW & (found_HW > 0)
    # Pixels outside all defects, most of them, are never widened to 64 bit.
    annotated_px_N = np.bincount(annotated_HW[there_HW], minlength=annotated + 1)[1:]
    found_px_M = np.bincount(found_HW[found_HW > 0], minlength=found + 1)[1:]
    key_P, both_P = np.unique((annotated_HW[both_HW] - 1).astype(np.int64) * found + found_HW[both_HW] - 1,
                              return_counts=True)  # fmt: skip
    of_annotated_P, of_found_P = np.divmod(key_P, max(found, 1))
    iou_P = both_P / (annotated_px_N[of_annotated_P] + found_px_M[of_found_P] - both_P)
    partner_N, iou_N = np.full(annotated, -1, np.int64), np.zeros(annotated)
    taken_P = _assigned(of_annotated_P, of_found_P, iou_P, annotated, found)
    partner_N[of_annotated_P[taken_P]], iou_N[of_annotated_P[taken_P]] = of_found_P[taken_P], iou_P[taken_P]
    return Matches(annotated_px_N, found_px_M, partner_N, iou_N, int(both_P.sum()))


def _assigned(of_annotated_P: Counts, of_found_P: Counts, iou_P: Real, annotated: int, found: int) -> Counts:
    """Return the pairs of the assignment with the largest sum of IoU."""
    # Defects that no chain of overlaps connects do not compete: thousands of them make many small tables, not a huge
    # one.
    ends = (of_annotated_P, annotated + of_found_P)
    graph = sparse.coo_array((np.ones(len(iou_P)), ends), shape=(annotated + found, annotated + found))
    part_P = sparse.csgraph.connected_components(graph, directed=False)[1][of_annotated_P]
    order_P = np.argsort(part_P, kind="stable")
    taken = [np.zeros(0, np.int64)]
    for pairs in np.split(order_P, np.flatnonzero(np.diff(part_P[order_P])) + 1):
        if len(pairs) < 2:
            taken.append(pairs)
            continue
        _, row = np.unique(of_annotated_P[pairs], return_inverse=True)
        _, column = np.unique(of_found_P[pairs], return_inverse=True)
        place, iou = (np.full((row.max() + 1, column.max() + 1), fill) for fill in (-1, 0.0))
        place[row, column], iou[row, column] = pairs, iou_P[pairs]
        chosen = place[optimize.linear_sum_assignment(iou, maximize=True)]
        taken.append(chosen[chosen >= 0])
    return np.concatenate(taken).astype(np.int64)

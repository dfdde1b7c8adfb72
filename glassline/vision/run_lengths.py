"""Run lengths of a small mask in a large image, as COCO writes them, without drawing the image.

Shapes: H x W pixels of the image, h x w pixels of a box.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def run_lengths(mask_hw: Mask, corner_xy: tuple[int, int], size_px: tuple[int, int]) -> dict[str, Any]:
    """Return `size` (H, W) and `counts` of a mask in an image, columns first; pycocotools reads it.

    Args:
        mask_hw: Pixels within a box.
        corner_xy: x and y of the box's first pixel in the image.
        size_px: Height and width of the image, which holds the box.
    """
    from pycocotools import mask as coco

    edges_Wh = np.diff(np.pad(mask_hw, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
    begin_N, end_N = (
        (column + corner_xy[0]) * size_px[0] + row + corner_xy[1]
        for column, row in (np.nonzero(edges_Wh == step) for step in (1, -1))
    )
    # What ends at the foot of a column may go on at the head of the next.
    apart_N = end_N[:-1] != begin_N[1:]
    begin_N, end_N = begin_N[np.append(True, apart_N)[: len(begin_N)]], end_N[np.append(apart_N, True)[: len(end_N)]]
    turns_N = np.concatenate([[0], np.stack([begin_N, end_N], axis=1).ravel(), [size_px[0] * size_px[1]]])
    counts = np.diff(turns_N).tolist()
    told = coco.frPyObjects({"size": list(size_px), "counts": counts if counts[-1] else counts[:-1]}, *size_px)
    return {"size": list(size_px), "counts": told["counts"].decode()}

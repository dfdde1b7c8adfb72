"""Patches as histograms of oriented gradients, for methods that learn no features of their own.

Source: Dalal and Triggs 2005. Shapes: N patches, H x W pixels, F features.
"""

import numpy as np
import numpy.typing as npt

# Cells across a patch: 16 px each in one of 112 px.
_CELLS, _BLOCK_CELLS, _ORIENTATIONS = 7, 2, 9


def gradient_histograms(patch_NHW: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return histograms of oriented gradients (N, F), without unit; blocks have a norm of 1 at most.

    Args:
        patch_NHW: Square patches of 16 px or more, grey levels 0 to 255; N at least 1.
    """
    from skimage.feature import hog

    cell_px = patch_NHW.shape[1] // _CELLS
    sizes = {"pixels_per_cell": (cell_px, cell_px), "cells_per_block": (_BLOCK_CELLS, _BLOCK_CELLS)}
    return np.stack([hog(patch_HW, _ORIENTATIONS, **sizes).astype(np.float32) for patch_HW in patch_NHW])

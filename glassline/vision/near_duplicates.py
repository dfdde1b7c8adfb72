"""Patches that show the same mark or picture though their bytes differ: taken or stored again, brighter or darker.

Two marks of one kind look alike but for their outline, the sensor's noise and the grain of the glass, which are never
the same twice. So what is compared is fine detail: a patch less its own blur, by normalised correlation, near 0 for
different marks and near 1 for one picture stored twice. Turned or rescaled pictures are not found.
Source: normalised cross-correlation (Lewis 1995). Shapes: N patches, H x W pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

_SIGMA_PX = 2.0
# Every third pixel: independent noise, a ninth of the arithmetic.
_STEP_PX = 3
# The thinned correlation of 1444 pixels is this far off at most, five sigmas.
_SLACK = 0.15
_MOST_PAIRS = 2000
_EVEN = 1e-3  # norm of a patch without detail, such as a saturated one
_AT_ONCE = 512


def near_duplicates(patch_NHW: npt.NDArray[np.uint8], group_N: npt.NDArray[np.object_], alike: float) -> pd.DataFrame:
    """Return pairs of patches of different groups that show the same mark, the most alike first.

    Args:
        patch_NHW: Patches, grey levels 0 to 255; memory grows with N times N.
        group_N: Group of each; pairs within one are no news.
        alike: Correlation from which two are the same picture, above 0 to 1.

    Returns:
        One row per pair, at most 2000: positions `one` and `other`, `correlation`.
    """
    thin_NF = np.stack([_detail(patch_HW)[::_STEP_PX, ::_STEP_PX].ravel() for patch_HW in patch_NHW])
    thin_NF = _unit(thin_NF)
    pairs: list[tuple[int, int, float]] = []
    for start in range(0, len(thin_NF), _AT_ONCE):
        near_BN = thin_NF[start : start + _AT_ONCE] @ thin_NF.T > alike - _SLACK
        for one, other in zip(*np.nonzero(near_BN), strict=True):
            one = int(one) + start
            if one < other and group_N[one] != group_N[other] and len(pairs) < _MOST_PAIRS:
                correlation = _correlation(patch_NHW[one], patch_NHW[other])
                if correlation >= alike:
                    pairs.append((one, int(other), correlation))
    found = pd.DataFrame(pairs, columns=["one", "other", "correlation"])
    return found.sort_values("correlation", ascending=False, kind="stable").reset_index(drop=True)


def _detail(patch_HW: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    levels_HW = patch_HW.astype(np.float32)
    return levels_HW - cv2.GaussianBlur(levels_HW, (0, 0), _SIGMA_PX)


def _unit(values_NF: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return rows of mean 0 and norm 1, of zeros where a row is even."""
    centred_NF = values_NF - values_NF.mean(axis=1, keepdims=True)
    norm_N1 = np.linalg.norm(centred_NF, axis=1, keepdims=True)
    return np.where(norm_N1 > _EVEN, centred_NF / norm_N1.clip(_EVEN), 0).astype(np.float32)


def _correlation(one_HW: npt.NDArray[np.uint8], other_HW: npt.NDArray[np.uint8]) -> float:
    one_F, other_F = _unit(np.stack([_detail(patch_HW).ravel() for patch_HW in (one_HW, other_HW)]))
    return float(one_F @ other_F)

"""Layout that images share in part, such as lines of text: inked here or there on every page, nowhere on all of them.

Its mean repeats, and so does its median where more than half of the pages are inked, but no mark does: which pages are
inked differs from pixel to pixel, where a mark is on an image or is not.
Shapes: K images, h x w pixels of a place, N gradients.
"""

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.median_gradients import Levels

Real = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Gradients looked at, as a share of the highest median.
_HIGH = 0.5
# Of noise around a mark half as many gradients lie midway between nothing and the mark as near either; of ink on paper
# few do.
_MIDWAY = 0.3
# Share of the images on which a mark that lies in a layout must be, pixel by pixel, around which many px.
_EVERYWHERE, _AROUND_PX = 0.85, 7
# Images that show a mark or do not vary as a coin does; at least so much of it.
_COIN = 0.4


def without_layout(gradients_K2hw: Levels, median_2hw: Real, near_hw: Mask) -> Mask:
    """Return where a mark can lie: of a place with layout what nearly every image shows, else the place as it is.

    Args:
        gradients_K2hw: Gradients of the window's images.
        median_2hw: Their median.
        near_hw: The place.
    """
    height_2hw = np.abs(median_2hw) * near_hw
    if not height_2hw.any():
        return near_hw
    high_2hw = height_2hw >= _HIGH * height_2hw.max()
    share_KN = gradients_K2hw[:, high_2hw] / median_2hw[high_2hw]
    agrees_KN = share_KN > 0.5
    ends = (np.abs(share_KN) <= 0.25).mean() + (np.abs(share_KN - 1) <= 0.25).mean()
    midway = ((share_KN > 0.25) & (share_KN < 0.75)).mean()
    agreed = float(agrees_KN.mean())
    together = float(agrees_KN.mean(axis=1).var()) >= _COIN * agreed * (1 - agreed)
    if midway >= _MIDWAY * ends or agreed >= _EVERYWHERE or together:
        return near_hw
    safe_2hw = np.where(height_2hw > 0, median_2hw, 1)
    agreed_hw = ((gradients_K2hw / safe_2hw > 0.5).mean(axis=0) * height_2hw).sum(axis=0)
    weight_hw = height_2hw.sum(axis=0)
    around = (_AROUND_PX, _AROUND_PX)
    local_hw = cv2.blur(agreed_hw.astype(np.float32), around) / np.maximum(cv2.blur(weight_hw, around), 1e-6)
    return np.asarray(near_hw & (local_hw >= _EVERYWHERE), np.bool_)

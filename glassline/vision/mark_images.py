"""Which images show a mark, and what it looks like on those.

Shapes: K images, N pixels of the mark and its rim, h x w pixels of its box.
"""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.mark_place import Place, good_gradients, medians, padded, read_gradients, within
from glassline.vision.mark_presence import find_presence
from glassline.vision.mark_shape import integrate
from glassline.vision.repeating_marks import PAD_PX, Mark
from glassline.vision.window_strength import ImageRows, Reference

Real = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# A mark's gradients lie up to a px beside it; noise is measured on as much around.
_RIM_PX = 4
# Images that the mark's grey levels are taken from.
_MOST = 200


def with_images(images: ImageRows, total: int, mark: Mark) -> Mark:
    """Return a mark with the images that show it, and with its grey levels and median gradients over those.

    Args:
        images: The view.
        total: Number of its images.
        mark: A mark of one of its windows.
    """
    x, y, width, height = mark.bbox_px
    place = padded((slice(y, y + height), slice(x, x + width)), images.size_px, _RIM_PX)
    near_hw = np.zeros([part.stop - part.start for part in place], np.uint8)
    near_hw[within((slice(y, y + height), slice(x, x + width)), place)] = mark.mask_hw
    rim_hw = cv2.dilate(near_hw, np.ones((3, 3), np.uint8)) > 0
    beside = _beside(place, images.size_px)
    here_KN, there_KN = (_clipped(images, total, one, rim_hw) for one in (place, beside))
    window_K = np.zeros(total, np.bool_)
    window_K[slice(*mark.window)] = True
    presence = find_presence(here_KN, there_KN, window_K)
    shows = np.flatnonzero(presence.shows_K)
    return replace(mark, images=tuple(int(one) for one in shows), image_error=presence.error)


def _beside(place: Place, size_px: tuple[int, int]) -> Place:
    """Return a place of the same size, as far away in both directions as the image reaches."""
    lengths = [part.stop - part.start for part in place]
    last = [size - length for size, length in zip(size_px, lengths, strict=True)]
    starts = [0 if part.start > end - part.start else end for part, end in zip(place, last, strict=True)]
    return tuple(slice(start, start + length) for start, length in zip(starts, lengths, strict=True))


def _clipped(images: ImageRows, total: int, place: Place, near_hw: Mask) -> Real:
    """Return the clipped gradients (K, N) of every image at the pixels of a mask."""
    read_K2N = np.stack([read_gradients(images, [number], place)[0][:, near_hw] for number in range(total)])
    scale = max(float(np.abs(read_K2N).mean()), 0.25)
    return np.asarray(np.clip(read_K2N.reshape(total, -1) / scale, -1, 1), np.float32)


def mark_levels(images: ImageRows, mark: Mark, reference: Reference | None = None) -> tuple[Real, Real]:
    """Return a mark's grey levels and the magnitude of its median gradients over the images that show it (h, w)."""
    x, y, width, height = mark.bbox_px
    box = slice(y, y + height), slice(x, x + width)
    place = padded(box, images.size_px, PAD_PX)
    chosen = mark.images[:: -(-len(mark.images) // _MOST)] if mark.images else range(*mark.window)
    gradients_K2hw = read_gradients(images, list(chosen), place)
    near_hw = np.zeros(gradients_K2hw.shape[2:], np.uint8)
    inner = within(box, place)
    near_hw[inner] = mark.mask_hw
    rim_hw = cv2.dilate(near_hw, np.ones((5, 5), np.uint8))
    median_2hw = medians(gradients_K2hw) - medians(good_gradients(reference, place, gradients_K2hw))
    levels_hw = integrate(*(median_2hw * rim_hw))
    return levels_hw[inner], np.asarray(np.hypot(*median_2hw)[inner], np.float32)


def median_magnitude(images: ImageRows, mark: Mark, place: Place) -> Real:
    """Return the magnitude of the median gradient at a place (h, w), over the window in which a mark was found."""
    median_2hw = medians(read_gradients(images, range(*mark.window), place))
    return np.asarray(np.hypot(*median_2hw), np.float32)

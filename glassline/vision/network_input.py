"""From the frames of a zone or window to what a segmentation network reads: sigmas of the noise.

Every colour of every light state loses its background and is divided by its noise: exposure, gain and the colours'
sensitivities drop out, so that a network meets another rig on the same footing.

Shapes: S light states x H x W pixels.
"""

import numpy as np

from glassline.data.captures.chunks import in_parallel
from glassline.data.captures.meta import Pattern
from glassline.data.captures.store import Frames
from glassline.vision.light_states import Real, colour_sigmas

# Marks stand out by this much somewhere, over at least so many pixels; noise alone does not.
_INFORMATION_SIGMA = 6.0
_INFORMATION_PX = 4


def network_input(frames_SHW: Frames, pattern: Pattern, direction_blind: bool = False) -> Real:
    """Return levels above the background in sigmas of the noise (S, H, W).

    Args:
        frames_SHW: Frames in the order of the model's light states.
        pattern: Colour filter; the mosaic stays a mosaic.
        direction_blind: Return the mean over light states instead, (1, H, W), of the same noise.
    """
    sigmas_SHW = np.empty(frames_SHW.shape, np.float32)

    def fill(state: int) -> None:
        sigmas_SHW[state] = colour_sigmas(frames_SHW[state], pattern)

    in_parallel(fill, range(len(frames_SHW)))
    if direction_blind:
        sigmas_SHW = sigmas_SHW.mean(axis=0, keepdims=True) * np.float32(np.sqrt(len(frames_SHW)))
    return np.asarray(sigmas_SHW, np.float32)


def has_information(sigmas_SHW: Real) -> bool:
    """Return whether anything but background and noise is there; patches without are not trained on."""
    return bool((np.abs(sigmas_SHW) > _INFORMATION_SIGMA).any(axis=0).sum() >= _INFORMATION_PX)

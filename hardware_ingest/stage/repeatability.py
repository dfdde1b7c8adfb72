"""How well the stage comes back to the same place: by what it reports, and by what the camera sees.

Shapes: H x W pixels of a frame.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from hardware_ingest.devices import Frame, Stage


@dataclass(frozen=True)
class Repeatability:
    """Farthest from the first arrival that the stage came to stand, over all later ones."""

    #: By its own report.
    reported_um: float
    #: By the camera.
    seen_um: float


def repeatability(
    stage: Stage,
    look: Callable[[], Frame],
    pitch_um: float,
    place_mm: tuple[float, float],
    away_mm: tuple[float, float],
    times: int = 5,
) -> Repeatability:
    """Move to a place, then away and back some times, and compare every arrival with the first.

    Args:
        stage: A stage that is ready.
        look: Takes a frame (H, W) of what lies under the camera now, lit.
        pitch_um: Pixel pitch on the glass.
        place_mm: Place to come back to; something must be seen there.
        away_mm: Place to go to in between.
        times: Ways there and back, at least 1.

    Returns:
        Both spreads in um.

    Raises:
        DeviceError: The stage or the camera does not do as told.
    """
    places_mm, frames = [], []
    for arrival in range(times + 1):
        if arrival:
            stage.move_to(*away_mm)
            stage.wait_for_idle()
        stage.move_to(*place_mm)
        places_mm.append(stage.wait_for_idle())
        frames.append(look())
    reported_um = max(1000 * float(np.hypot(x - places_mm[0][0], y - places_mm[0][1])) for x, y in places_mm[1:])
    seen_px = max(float(np.hypot(*shift_px(frames[0], frame_HW))) for frame_HW in frames[1:])
    return Repeatability(reported_um, seen_px * pitch_um)


def shift_px(first_HW: Frame, second_HW: Frame) -> tuple[float, float]:
    """Return how far the second frame is shifted against the first, x and y in px, by phase correlation.

    Works on the mean of 2 x 2 px, so that a colour mosaic does not correlate with itself.
    """
    halves = [_halved(frame_HW) for frame_HW in (first_HW, second_HW)]
    window_HW = cv2.createHanningWindow(halves[0].shape[::-1], cv2.CV_32F)
    (x_px, y_px), _ = cv2.phaseCorrelate(halves[0], halves[1], window_HW)
    return 2 * x_px, 2 * y_px


def _halved(frame_HW: Frame) -> np.ndarray:
    height, width = (edge // 2 * 2 for edge in frame_HW.shape)
    cells = frame_HW[:height, :width].astype(np.float32).reshape(height // 2, 2, width // 2, 2)
    return np.asarray(cells.mean(axis=(1, 3)))

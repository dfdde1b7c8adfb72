"""How far a zone moved between two captures of the same place, by phase correlation.

Source: Kuglin and Hines 1975, as OpenCV's `phaseCorrelate` has it.
Shapes: H x W pixels.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from pydantic import Field

from glassline.settings import Settings
from glassline.vision.light_states import Real


class ShiftSettings(Settings):
    """How far a zone may have moved, and how sure the measurement must be."""

    tolerance_um: float = Field(100, gt=0, description="furthest that the stage may come back beside its place")
    min_response: float = Field(0.05, ge=0, le=1, description="share of the correlation that its peak must hold")
    least_sigma: float = Field(8, gt=0, description="brightness from which a pixel counts, in sigmas of the noise")
    most_sigma: float = Field(40, gt=0, description="brightness from which all pixels count alike")


@dataclass(frozen=True)
class Shift:
    """Where the second capture's content lies relative to the first's.

    Attributes:
        x_px: To the right.
        y_px: Downwards.
        response: Share of the correlation that lies at the peak, 0 to 1; 0 where nothing is to compare.
    """

    x_px: float
    y_px: float
    response: float

    def length_um(self, pitch_um: float) -> float:
        """Return how far that is on the glass."""
        return math.hypot(self.x_px, self.y_px) * pitch_um


def measure_shift(first_HW: Real, second_HW: Real, settings: ShiftSettings) -> Shift:
    """Measure how far the content of two captures of one zone is apart, to a part of a pixel.

    Only what stands out of the noise counts, and none of it more than anything else, so that pen marks, which are
    bright and on one of both only, do not outweigh scratches and dust. (`respond` has taken hot pixels out: they
    belong to the sensor and would vote for no shift.)

    Args:
        first_HW: Strength of the first capture (see `respond`).
        second_HW: Strength of the second, of the same size.
        settings: What counts.
    """
    pair = [_content(strength_HW, settings) for strength_HW in (first_HW, second_HW)]
    if not all(content_HW.any() for content_HW in pair):
        return Shift(0.0, 0.0, 0.0)
    height, width = first_HW.shape
    window_HW = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x_px, y_px), response = cv2.phaseCorrelate(pair[0], pair[1], window_HW)
    return Shift(float(x_px), float(y_px), float(min(max(response, 0.0), 1.0)))


def _content(strength_HW: Real, settings: ShiftSettings) -> Real:
    """Return what stands out, 0 elsewhere."""
    content_HW = np.clip(strength_HW, settings.least_sigma, settings.most_sigma) - np.float32(settings.least_sigma)
    return np.asarray(content_HW, np.float32)

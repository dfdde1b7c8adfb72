"""How far a zone moved between two captures of the same place, by phase correlation.

Source: Kuglin and Hines 1975; as OpenCV's `phaseCorrelate`, with the search kept within the stage's tolerance.
Shapes: H x W pixels.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from pydantic import Field

from glassline.settings import Settings
from glassline.vision.double_threshold import narrow
from glassline.vision.light_states import Real

# Glare at the rim and strokes of a pen are wider than this, and slide along themselves.
_WIDEST_PX = 13
# Height over the highest peak: over 40 simulated pairs the true one had at least .7, others within the tolerance .2.
_RIVAL = 0.5


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


def measure_shift(first_HW: Real, second_HW: Real, pitch_um: float, settings: ShiftSettings) -> Shift:
    """Measure how far the content of two captures of one zone is apart, to a part of a pixel.

    Only narrow things that stand out of the noise count, and none of them more than others, so that pen marks and
    glare do not outweigh scratches and dust. (`respond` has taken hot pixels out: they belong to the sensor and would
    vote for no shift.) A fibre or a print may lie elsewhere after the inspector's hand and correlates at its own shift:
    the highest peak within the tolerance is taken when it is at least half as high as any, else the highest of all.

    Args:
        first_HW: Strength of the first capture (see `respond`).
        second_HW: Strength of the second, of the same size.
        pitch_um: Pixel pitch on the glass.
        settings: What counts.
    """
    pair = [_content(strength_HW, settings) for strength_HW in (first_HW, second_HW)]
    if not all(content_HW.any() for content_HW in pair):
        return Shift(0.0, 0.0, 0.0)
    surface_HW = phase_correlation(*pair)
    height, width = surface_HW.shape
    y_H, x_W = (np.arange(size) - size // 2 for size in (height, width))
    # A place beside a higher one is no peak, but the foot of one beyond the tolerance.
    peaks_HW = surface_HW >= cv2.dilate(surface_HW, np.ones((5, 5), np.uint8))
    near_HW = peaks_HW & (np.hypot(y_H[:, None], x_W[None, :]) * pitch_um <= settings.tolerance_um)
    near = _highest(np.where(near_HW, surface_HW, -np.inf))
    anywhere = _highest(surface_HW)
    stands = near_HW[near] and surface_HW[near] >= _RIVAL * surface_HW[anywhere]
    return shift_at(surface_HW, *(near if stands else anywhere))


def phase_correlation(first_HW: Real, second_HW: Real) -> Real:
    """Return the phase correlation, no shift in its middle; it adds up to 1."""
    height, width = first_HW.shape
    window_HW = cv2.createHanningWindow((width, height), cv2.CV_32F)
    spectra = [scipy.fft.rfft2(content_HW * window_HW) for content_HW in (first_HW, second_HW)]
    cross_HW = spectra[1] * np.conj(spectra[0])
    cross_HW /= np.maximum(np.abs(cross_HW), np.finfo(np.float32).tiny)
    return np.asarray(scipy.fft.fftshift(scipy.fft.irfft2(cross_HW, s=(height, width))), np.float32)


def _highest(surface_HW: Real) -> tuple[int, int]:
    y, x = np.unravel_index(int(np.argmax(surface_HW)), surface_HW.shape)
    return int(y), int(x)


def shift_at(surface_HW: Real, y: int, x: int) -> Shift:
    """Return the shift of a peak, to a part of a pixel by the centre of mass of 5 x 5 px around it."""
    height, width = surface_HW.shape
    top, left = max(y - 2, 0), max(x - 2, 0)
    around_HW = surface_HW[top : y + 3, left : x + 3]
    mass_HW = np.maximum(around_HW, 0)
    rows, columns = np.indices(mass_HW.shape)
    at_y, at_x = (float((mass_HW * index).sum() / mass_HW.sum()) for index in (rows, columns))
    response = float(np.clip(around_HW.sum(), 0, 1))
    return Shift(left + at_x - width // 2, top + at_y - height // 2, response)


def _content(strength_HW: Real, settings: ShiftSettings) -> Real:
    """Return what is narrow and stands out, 0 elsewhere."""
    narrow_HW = narrow(strength_HW, _WIDEST_PX)
    content_HW = np.clip(narrow_HW, settings.least_sigma, settings.most_sigma) - np.float32(settings.least_sigma)
    return np.asarray(content_HW, np.float32)

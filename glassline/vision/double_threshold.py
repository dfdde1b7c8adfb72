"""Classical scratch finder: double threshold on brightness, and on area, with preference of direction.

A pixel belongs to a candidate when its brightest light state passes the low threshold and its component
somewhere passes the high one. Scratches are what of a candidate answers to some light directions more than to
others, where that is large enough. Until a network is there this is the current
model of the label merge; after that, a row to compare with.

Source: Wang 2019a, as Turko 2021, section 2, tells it (grey threshold and area threshold); two grey
    thresholds as in Turko 2021, section 5.5; modulation as in its section 3.
Shapes: H x W pixels of a zone.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from glassline.settings import Settings
from glassline.vision.light_states import LightResponse, Real

Mask = npt.NDArray[np.bool_]


class DoubleThresholdSettings(Settings):
    """When a pixel is bright, and when a component is a scratch."""

    low_sigma: float = Field(6.0, gt=0, description="brightness that a pixel needs, in sigmas of the noise")
    high_sigma: float = Field(14.0, gt=0, description="brightness that a component needs somewhere")
    share_of_peak: float = Field(
        0.4, ge=0, lt=1, description="brightness that a pixel needs, as a share of the brightest near it"
    )
    near_um: float = Field(40, gt=0, description="how far `near` is")
    max_width_um: float = Field(150, gt=0, description="width from which a mark is no scratch: dents, folds, glare")
    min_area_um2: float = Field(5000, ge=0, description="area that a scratch needs")
    min_modulation: float = Field(0.4, ge=0, le=1, description="modulation over azimuth that a scratch needs")

    @model_validator(mode="after")
    def _low_below_high(self) -> "DoubleThresholdSettings":
        if self.low_sigma > self.high_sigma:
            raise ValueError(f"low_sigma must be <= high_sigma {self.high_sigma:g}, got {self.low_sigma:g}; lower it")
        return self


@dataclass(frozen=True)
class Segmentation:
    """What a model finds on a zone.

    Attributes:
        score_HW: Likeness to a scratch, 0 to 1.
        mask_HW: Scratches.
        candidates_HW: Everything that stood out, scratch or not; holds the mask.
    """

    score_HW: Real
    mask_HW: Mask
    candidates_HW: Mask


def threshold(response: LightResponse, pitch_um: float, settings: DoubleThresholdSettings) -> Segmentation:
    """Segment the scratches of one zone by how its pixels answer.

    Args:
        response: Strength and modulation.
        pitch_um: Pixel pitch on the glass.
        settings: Thresholds.
    """
    strength_HW, modulation_HW = narrow(response.strength_HW, settings.max_width_um / pitch_um), response.modulation_HW
    bright_HW = (strength_HW > settings.low_sigma) & near_its_peak(strength_HW, pitch_um, settings)
    candidates_HW = _components(bright_HW, strength_HW, settings.high_sigma, 0)
    directed_HW = candidates_HW & (modulation_HW >= settings.min_modulation)
    mask_HW = _components(directed_HW, strength_HW, settings.high_sigma, settings.min_area_um2 / pitch_um**2)
    peak_HW = np.maximum(strength_HW, 0)
    score_HW = modulation_HW * peak_HW / (peak_HW + np.float32(settings.high_sigma))
    return Segmentation(np.asarray(score_HW, np.float32), mask_HW, candidates_HW)


def narrow(strength_HW: Real, width_px: float) -> Real:
    """Return how far each pixel stands out of all that is wider than `width_px`: white top-hat."""
    edge = max(3, round(width_px))
    return np.asarray(cv2.morphologyEx(strength_HW, cv2.MORPH_TOPHAT, np.ones((edge, edge), np.uint8)))


def near_its_peak(strength_HW: Real, pitch_um: float, settings: DoubleThresholdSettings) -> Mask:
    """Return where a pixel is no mere halo of a brighter one: a bright mark is drawn no wider than a faint one."""
    reach = 2 * max(1, round(settings.near_um / pitch_um)) + 1
    peak_HW = cv2.dilate(strength_HW, np.ones((reach, reach), np.uint8))
    return np.asarray(strength_HW >= settings.share_of_peak * peak_HW)


def _components(over_HW: Mask, strength_HW: Real, high_sigma: float, area_px: float) -> Mask:
    """Return the components that are large enough and somewhere over the high threshold."""
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(over_HW.astype(np.uint8), connectivity=8)
    keep = np.zeros(count, np.bool_)
    keep[np.unique(labels_HW[over_HW & (strength_HW > high_sigma)])] = True
    keep &= stats[:, cv2.CC_STAT_AREA] >= area_px
    keep[0] = False
    return np.asarray(keep[labels_HW])

"""Salience maps: how far each place of an image deviates from its surroundings, in robust sigmas.

Everything works on the logarithm of the grey level, where uneven light is a sum: subtracting a smooth
background there is the flat-field division.

Shapes: H x W pixels.
"""

import cv2
import numpy as np
from pydantic import Field

from glassline.settings import Settings
from glassline.vision.glass import Glass, Mask
from glassline.vision.normalise import Grey, Real, robust_spread, smooth, without_streaks

# Grey levels added before the logarithm: the noise of a black image stays small.
_PEDESTAL = 8.0
# What deviates more is cut off before the background is measured.
_CALM_SIGMA = 2.0
# A band: a change of level or streakiness across rows that holds over this many columns.
_BAND_WIDTH_PX, _BAND_HEIGHT_PX, _BAND_GAP_PX = 20.0, 3.0, 6


class SalienceSettings(Settings):
    """What counts as surroundings."""

    denoise_px: float = Field(1.2, gt=0, description="Gaussian sigma of the denoising, px")
    background_px: float = Field(24.0, gt=0, description="Gaussian sigma of the background, px")
    glass: Glass = Field("whole", description="Where: everywhere, or the largest dark plate")
    streak_px: float = Field(0.0, ge=0, description="Remove streaks along columns longer than this, px; 0: keep")
    coarse: bool = Field(False, description="A second map at four times both sigmas: large, faint defects")
    bands: bool = Field(False, description="Maps of changes across rows: bands of other finish or light")


def salience_maps(grey_HW: Grey, settings: SalienceSettings, glass_HW: Mask) -> dict[str, Real]:
    """Return the maps by name, `fine` first; 0 off the glass.

    Args:
        grey_HW: Grey image, 0 to 255.
        settings: Scales and which maps.
        glass_HW: Where defects may lie.

    Returns:
        Maps (H, W) in robust sigmas; positive is brighter (or, for `finish`, more streaky below).
    """
    log_HW = np.log(grey_HW.astype(np.float32) + _PEDESTAL)
    inside_HW = None if glass_HW.all() else glass_HW.astype(np.float32)
    maps = {"fine": _deviation(log_HW, settings, 1.0, inside_HW)}
    if settings.coarse:
        maps["coarse"] = _deviation(log_HW, settings, 4.0, inside_HW)
    if settings.bands:
        streaks_HW = np.abs(log_HW - cv2.GaussianBlur(log_HW, (0, 0), sigmaX=2.0, sigmaY=0.5))
        maps["level"] = _change_across_rows(log_HW)
        maps["finish"] = _change_across_rows(np.log(_blur(streaks_HW, 25.0, 4.0) + 0.005))
    return maps if inside_HW is None else {name: z_HW * inside_HW for name, z_HW in maps.items()}


def _deviation(log_HW: Real, settings: SalienceSettings, factor: float, inside_HW: Real | None) -> Real:
    """Return the denoised image less its background and its streaks, in robust sigmas."""
    background_px = settings.background_px * factor
    fine_HW = smooth(log_HW, settings.denoise_px * factor)
    rough_HW = _background(fine_HW, background_px, inside_HW)
    # Once more without what stands out: a strong spot would pull the background and wear a halo.
    median, sigma = robust_spread(_on_glass(fine_HW - rough_HW, inside_HW))
    calm_HW = np.clip(fine_HW, rough_HW + median - _CALM_SIGMA * sigma, rough_HW + median + _CALM_SIGMA * sigma)
    z_HW = _in_sigmas(fine_HW - _background(calm_HW, background_px, inside_HW), inside_HW)
    if settings.streak_px:
        z_HW = _in_sigmas(without_streaks(z_HW, settings.streak_px), inside_HW)
    return z_HW


def _background(image_HW: Real, background_px: float, inside_HW: Real | None) -> Real:
    """Return the wide blur; weighted by the glass, so that near its rim it is that of the glass alone."""
    if inside_HW is None:
        return smooth(image_HW, background_px)
    share_HW = np.maximum(smooth(inside_HW, background_px), np.float32(1e-3))
    return np.asarray(smooth(image_HW * inside_HW, background_px) / share_HW, np.float32)


def _on_glass(image_HW: Real, inside_HW: Real | None) -> Real:
    return image_HW if inside_HW is None else image_HW[inside_HW > 0]


def _change_across_rows(image_HW: Real) -> Real:
    """Return what lies below less what lies above each row, averaged along the row, in robust sigmas."""
    smooth_HW = _blur(image_HW, _BAND_WIDTH_PX, _BAND_HEIGHT_PX)
    change_HW = np.zeros_like(smooth_HW)
    if len(change_HW) > 2 * _BAND_GAP_PX:
        change_HW[_BAND_GAP_PX:-_BAND_GAP_PX] = smooth_HW[2 * _BAND_GAP_PX :] - smooth_HW[: -2 * _BAND_GAP_PX]
    return _in_sigmas(change_HW, None)


def _in_sigmas(image_HW: Real, inside_HW: Real | None) -> Real:
    median, sigma = robust_spread(_on_glass(image_HW, inside_HW))
    return np.asarray((image_HW - median) / sigma, np.float32)


def _blur(image_HW: Real, sigma_x_px: float, sigma_y_px: float) -> Real:
    """Blur with unequal sigmas; the wide one runs on shrunken rows."""
    height_px, width_px = image_HW.shape
    factor = max(1, int(sigma_x_px // 4))
    small_HW = cv2.resize(image_HW, (max(2, width_px // factor), height_px), interpolation=cv2.INTER_AREA)
    small_HW = cv2.GaussianBlur(
        small_HW, (0, 0), sigmaX=sigma_x_px / factor, sigmaY=sigma_y_px, borderType=cv2.BORDER_REFLECT
    )
    return np.asarray(cv2.resize(small_HW, (width_px, height_px), interpolation=cv2.INTER_LINEAR), np.float32)

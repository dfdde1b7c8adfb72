"""How every pixel of a zone answers to the light states: how brightly, and with which preference of direction.

Dust and stains scatter evenly, a scratch sharply when lit across: the modulation over the light's azimuth
tells them apart.

Source: Turko 2021, section 3 and Fig. 3.
Shapes: S light states x H x W pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from glassline.data.captures.meta import Pattern
from glassline.data.captures.store import Frames
from glassline.vision.normalise import MAD_TO_SIGMA

Real = npt.NDArray[np.float32]

# Cells of the background, in px of one colour: wider than any mark, finer than the lamps' falloff.
_CELL_PX = 64
# Every fourth pixel of a cell in both directions says as much of its median, in a sixteenth of the time.
_STRIDE = 4
# A window of these weights, squared, holds each colour with the same weight wherever it lies on a mosaic. Twice the
# window less its square does so too, and blurs a thin line far less.
_BINOMIAL = np.array([0.25, 0.5, 0.25], np.float32)
# What that leaves of the noise of independent pixels: the root of the sum of the squared weights.
_MIXED_NOISE = 0.497
# A lens spreads every point over its neighbours: what is this many times brighter than all of them is a hot pixel.
_HOT_TIMES = 4.0
_HOT_SIGMA = 8.0
_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


@dataclass(frozen=True)
class LightResponse:
    """What a zone's frames say of each pixel.

    Attributes:
        strength_HW: Brightest state above the background, in robust sigmas of the noise; may be below 0.
        modulation_HW: Preference of direction, 0 (even) to 1 (one direction only), over a few pixels around.
    """

    strength_HW: Real
    modulation_HW: Real


def respond(frames_SHW: Frames, pattern: Pattern, azimuths_deg: Sequence[float]) -> LightResponse:
    """Measure strength and modulation of every pixel.

    A frame is taken apart into the colours of its mosaic. Each loses its own background (median of cells of 128 px
    of the mosaic, linear between) and is divided by its own noise (from the median step between neighbours); a hot
    pixel takes the level of its neighbours. The modulation is the length of the mean of exp(2i azimuth) weighted by
    brightness: opposite lights count as one. Of a single light state it is 1 everywhere and tells nothing.

    Args:
        frames_SHW: Frames of one zone.
        pattern: Colour filter of the sensor.
        azimuths_deg: Azimuth of each state, modulo 180.

    Returns:
        Maps of the zone's size.
    """
    shape_HW = frames_SHW.shape[1:]
    strength_HW = np.full(shape_HW, -np.inf, np.float32)
    total_HW, along_HW, across_HW = (np.zeros(shape_HW, np.float32) for _ in range(3))
    for frame_HW, azimuth_deg in zip(frames_SHW, azimuths_deg, strict=True):  # one at a time: six are 260 MB
        sigmas_HW = above_background(frame_HW, pattern)
        np.maximum(strength_HW, sigmas_HW, out=strength_HW)
        np.maximum(sigmas_HW, 0, out=sigmas_HW)
        double = np.deg2rad(2 * azimuth_deg)
        total_HW += sigmas_HW
        along_HW += np.float32(np.cos(double)) * sigmas_HW
        across_HW += np.float32(np.sin(double)) * sigmas_HW
    around = [cv2.blur(image_HW, (5, 5)) for image_HW in (total_HW, along_HW, across_HW)]
    modulation_HW = cv2.magnitude(around[1], around[2]) / np.maximum(around[0], 1e-3)
    return LightResponse(strength_HW, np.minimum(modulation_HW, 1))


def above_background(frame_HW: npt.NDArray[np.uint16], pattern: Pattern) -> Real:
    """Return one frame above its background in robust sigmas, every colour by itself, then mixed evenly."""
    sigmas_HW = colour_sigmas(frame_HW, pattern)
    if pattern == "mono":
        return sigmas_HW
    once_HW = cv2.sepFilter2D(sigmas_HW, -1, _BINOMIAL, _BINOMIAL)
    twice_HW = cv2.sepFilter2D(once_HW, -1, _BINOMIAL, _BINOMIAL)
    return np.asarray(cv2.addWeighted(once_HW, 2 / _MIXED_NOISE, twice_HW, -1 / _MIXED_NOISE, 0), np.float32)


def colour_sigmas(frame_HW: npt.NDArray[np.uint16], pattern: Pattern) -> Real:
    """Return one frame above its background in robust sigmas, every colour of the mosaic by itself."""
    sigmas_HW = np.empty(frame_HW.shape, np.float32)
    step = 1 if pattern == "mono" else 2
    for y in range(step):
        for x in range(step):
            sigmas_HW[y::step, x::step] = _one_colour(frame_HW[y::step, x::step])
    return sigmas_HW


def _one_colour(plane_HW: npt.NDArray[np.uint16]) -> Real:
    """Return one colour above its background in robust sigmas of its noise."""
    height, width = plane_HW.shape
    levels_HW = plane_HW.astype(np.float32)
    levels_HW -= cv2.resize(_cells(plane_HW), (width, height), interpolation=cv2.INTER_LINEAR)
    # Steps between neighbours hold the noise twice and no background; never less than a step of the sensor.
    steps = np.abs(levels_HW[::_STRIDE, 1:] - levels_HW[::_STRIDE, :-1])
    sigma = max(MAD_TO_SIGMA * _median(steps) / math.sqrt(2) if steps.size else 0.0, 0.5)
    levels_HW /= sigma
    around_HW = np.maximum(cv2.dilate(levels_HW, _NEIGHBOURS), 0)
    hot_HW = (levels_HW > _HOT_SIGMA) & (levels_HW > _HOT_TIMES * around_HW)
    levels_HW[hot_HW] = around_HW[hot_HW]
    return levels_HW


def _median(values_HW: Real) -> float:
    """Return what np.median returns of finite values, to the bit and 13 times as fast: it sorts out three places."""
    values_N = values_HW.flatten()
    middle = values_N.size // 2
    values_N.partition(middle)
    upper = values_N[middle]
    return float(upper if values_N.size % 2 else (values_N[:middle].max() + upper) / np.float32(2))


def _cells(plane_HW: npt.NDArray[np.uint16]) -> Real:
    """Return the median of each cell; cells at the far rims are as large as what is left allows."""
    rows, columns = (max(1, round(size / _CELL_PX)) for size in plane_HW.shape)
    size = (columns * _CELL_PX, rows * _CELL_PX)
    height, width = plane_HW.shape
    if (width, height) != size:
        plane_HW = np.asarray(cv2.resize(plane_HW, size, interpolation=cv2.INTER_NEAREST), np.uint16)
    thin_HW = plane_HW[::_STRIDE, ::_STRIDE]
    edge = _CELL_PX // _STRIDE
    cells = thin_HW.reshape(rows, edge, columns, edge).swapaxes(1, 2).reshape(rows, columns, -1)
    medians_HW = np.median(cells, axis=2).astype(np.float32)
    return np.asarray(cv2.medianBlur(medians_HW, 3)) if min(rows, columns) >= 3 else medians_HW

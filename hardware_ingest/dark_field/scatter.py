"""What a mark on the glass is to the light: a shape, how strongly it scatters, and in which directions.

Shapes: N pixels of one mark in one view.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]
Rng = np.random.Generator

#: Scatter of one LED group against (azimuth - normal) in whole degrees; opposite groups average at most 1.
Lobe = npt.NDArray[np.float32]

# A group's beam is 25 degrees wide (FWHM): no lobe is seen narrower.
_BEAM_SIGMA_DEG = 25 / 2.355


@dataclass(frozen=True)
class View:
    """A window on the glass: the place of its first pixel's centre, its size and its pitch."""

    x_mm: float
    y_mm: float
    width_px: int
    height_px: int
    pitch_um: float
    blur_px: float = 0.7

    @property
    def pitch_mm(self) -> float:
        """The pixel pitch in mm."""
        return self.pitch_um / 1000

    @property
    def blur_mm(self) -> float:
        """Sigma of the lens's point spread on the glass in mm."""
        return self.blur_px * self.pitch_mm

    def sees(self, bounds_mm: tuple[float, float, float, float]) -> bool:
        """Return whether a rectangle left, top, right, bottom in mm reaches into the window."""
        left, top, right, bottom = bounds_mm
        return (
            right >= self.x_mm
            and bottom >= self.y_mm
            and left <= self.x_mm + self.width_px * self.pitch_mm
            and top <= self.y_mm + self.height_px * self.pitch_mm
        )


@dataclass(frozen=True)
class Drawn:
    """A shape's pixels in a view.

    Attributes:
        index_N: Each pixel once: row * width + column.
        extent_N: 0 to 1; a pixel belongs to the shape's mask where this is high.
        level_N: Brightness relative to the mark's strength, about 0 to 1.
        normal_deg_N: Direction of light in which the pixel scatters most.
    """

    index_N: Index
    extent_N: Real
    level_N: Real
    normal_deg_N: Real


class Shape(Protocol):
    """Where a mark lies and what it looks like."""

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that may be drawn."""
        ...

    def draw(self, view: View) -> Drawn:
        """Return its pixels in a view, none when it lies outside."""
        ...


@dataclass(frozen=True)
class Mark:
    """One thing on the glass.

    Attributes:
        label: Class: a defect, a contaminant, or `pen`.
        kind: What was drawn, such as `rugged`.
        shape: Where and how.
        rate: Brightness under one group, DN/ms.
        lobe: In which directions it scatters.
        systematic: Whether a tool leaves it at the same place of every glass.
    """

    label: str
    kind: str
    shape: Shape
    rate: float
    lobe: Lobe
    systematic: bool = False


def even_lobe(modulation: float) -> Lobe:
    """Return scatter that is almost the same from everywhere: 1 + m cos 2d, scaled to 1 at most."""
    lobe = 1 + modulation * np.cos(2 * _degrees())
    return np.asarray(lobe / (1 + modulation), np.float32)


def flank_lobe(own_sigma_deg: float, floor: float, skew: float) -> Lobe:
    """Return scatter of two flanks: peaks when lit across, from either side.

    Args:
        own_sigma_deg: Width of the peak by the flank alone; the beam of an LED group widens it.
        floor: Rest when lit along, 0 to 1.
        skew: How much brighter the flank towards the normal is, 0 (alike) to 1.
    """
    peak = _peak(0.0, own_sigma_deg)
    lobe = (floor + (1 - floor) * peak) * (1 + skew * np.cos(_degrees()))
    return np.asarray(lobe, np.float32)


def rugged_lobe(rng: Rng, floor: float) -> Lobe:
    """Return scatter with two to four peaks at directions of its own, the strongest of height 1."""
    count = int(rng.integers(2, 5))
    at_deg = rng.uniform(-75, 75, count)
    heights = np.concatenate([[1.0], rng.uniform(0.35, 0.95, count - 1)])
    peaks = sum(height * _peak(deg, 4.0) for height, deg in zip(heights, at_deg, strict=True))
    return np.asarray(floor + (1 - floor) * peaks / np.max(peaks), np.float32)


def _degrees() -> npt.NDArray[np.float64]:
    return np.asarray(np.deg2rad(np.arange(360.0)))


def _peak(at_deg: float, own_sigma_deg: float) -> npt.NDArray[np.float64]:
    """Return a bell at an angle and at its opposite."""
    away_deg = (np.arange(360.0) - at_deg + 90) % 180 - 90
    return np.asarray(np.exp(-(away_deg**2) / (2 * (own_sigma_deg**2 + _BEAM_SIGMA_DEG**2))))

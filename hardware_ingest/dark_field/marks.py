"""Dents, mold marks and folds of the glass itself.

Shapes: H x W pixels of the mark's window.
"""

from dataclasses import dataclass

import numpy as np

from hardware_ingest.dark_field.patches import Window, bell, sampled, texture
from hardware_ingest.dark_field.scatter import Drawn, Mark, Real, Rng, View, even_lobe, flank_lobe
from hardware_ingest.dark_field.scratches import Area, draw_line, grain, log_uniform, tapered
from hardware_ingest.dark_field.strokes import Stroke


@dataclass(frozen=True)
class Dent:
    """A smooth pit: its slope scatters towards the light that it faces.

    Attributes:
        x_mm: Centre.
        y_mm: Centre.
        sigma_mm: Radius of its steepest slope.
        stretch: Length over width.
        angle_deg: Direction of its length.
    """

    x_mm: float
    y_mm: float
    sigma_mm: float
    stretch: float
    angle_deg: float

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that may be drawn."""
        return _around(self.x_mm, self.y_mm, self._reach_mm)

    @property
    def _reach_mm(self) -> float:
        return 4 * self.sigma_mm * self.stretch + 0.05

    def draw(self, view: View) -> Drawn:
        """Return its pixels in a view, none when it lies outside."""
        window = Window(view, self.x_mm, self.y_mm, self._reach_mm)
        along_HW, across_HW = window.turned(self.angle_deg)
        along_HW = along_HW / np.float32(self.stretch)
        distance_HW = np.hypot(along_HW, across_HW) / np.float32(np.hypot(self.sigma_mm, view.blur_mm))
        slope_HW = np.asarray(distance_HW * np.exp(0.5 - distance_HW**2 / 2), np.float32)
        # The slope falls off along the gradient, which a stretched pit turns away from the radius.
        normal_deg_HW = np.rad2deg(np.arctan2(across_HW, along_HW / np.float32(self.stretch))) + self.angle_deg
        return window.drawn(np.where(distance_HW < 1, 1, slope_HW), slope_HW, normal_deg_HW)


@dataclass(frozen=True)
class MoldMark:
    """The pressing tool's print: an uneven ring around a matt blot.

    Attributes:
        x_mm: Centre.
        y_mm: Centre.
        radius_mm: Of the ring.
        sigma_mm: Width of the ring.
        blot: Brightness of the blot over the ring's.
        turn_deg: Where the ring is brightest.
        rough_HW: Texture of the matt glass.
    """

    x_mm: float
    y_mm: float
    radius_mm: float
    sigma_mm: float
    blot: float
    turn_deg: float
    rough_HW: Real

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that may be drawn."""
        return _around(self.x_mm, self.y_mm, self._reach_mm)

    @property
    def _reach_mm(self) -> float:
        return self.radius_mm + 4 * self.sigma_mm + 0.05

    def draw(self, view: View) -> Drawn:
        """Return its pixels in a view, none when it lies outside."""
        window = Window(view, self.x_mm, self.y_mm, self._reach_mm)
        distance_HW = np.hypot(window.x_HW, window.y_HW)
        angle_HW = np.arctan2(window.y_HW, window.x_HW) - np.float32(np.deg2rad(self.turn_deg))
        sigma_mm = float(np.hypot(self.sigma_mm, view.blur_mm))
        ring_HW = bell(distance_HW - np.float32(self.radius_mm), sigma_mm) * (0.75 + 0.25 * np.cos(2 * angle_HW))
        inside_HW = 1 / (
            1 + np.exp(np.clip((distance_HW - np.float32(self.radius_mm)) / np.float32(sigma_mm), -30, 30))
        )
        rough_HW = np.clip(1 + 0.35 * sampled(self.rough_HW, window.x_HW, window.y_HW, 0.035), 0.2, 2)
        level_HW = (ring_HW + self.blot * inside_HW) * rough_HW / (1 + self.blot)
        beyond_HW = np.maximum(distance_HW - np.float32(self.radius_mm), 0)
        return window.drawn(bell(beyond_HW, sigma_mm), np.asarray(level_HW, np.float32), self.turn_deg)


def draw_dent(area: Area, contrast: float, rng: Rng) -> Mark:
    """Draw one dent inside an area; `contrast` is a factor on its brightness."""
    x_mm, y_mm = place_in(area, rng)
    shape = Dent(x_mm, y_mm, log_uniform(rng, 0.06, 0.28), rng.uniform(1, 1.6), rng.uniform(0, 180))
    lobe = flank_lobe(rng.uniform(18, 30), rng.uniform(0.05, 0.15), rng.uniform(-0.4, 0.4))
    return Mark("dent", "pit", shape, contrast * log_uniform(rng, 5, 50), lobe)


def draw_mold(area: Area, contrast: float, rng: Rng) -> Mark:
    """Draw one mold mark inside an area; `contrast` is a factor on its brightness."""
    x_mm, y_mm = place_in(area, rng)
    radius_mm = rng.uniform(0.25, 0.9)
    shape = MoldMark(
        x_mm, y_mm, radius_mm, radius_mm * rng.uniform(0.08, 0.2), rng.uniform(0.35, 0.9), rng.uniform(0, 180),
        texture(rng, 64),
    )  # fmt: skip
    return Mark("mold", "ring", shape, contrast * log_uniform(rng, 4, 25), even_lobe(rng.uniform(0.15, 0.35)))


def draw_fold(area: Area, contrast: float, rng: Rng) -> Mark:
    """Draw one fold inside an area: a broad soft crease with two flanks; `contrast` is a factor on its brightness."""
    line_V2 = draw_line(area, log_uniform(rng, 3, 12), rng.uniform(0, 360), rng.uniform(-0.15, 0.15), rng)
    count = len(line_V2)
    tracks = ((-0.28, 0.5, 1.0), (0.28, 0.5, float(rng.uniform(0.6, 1.0))))
    shape = Stroke(
        line_V2,
        rng.uniform(0.12, 0.35),
        tapered(count, rng),
        grain(count, 0.08, rng),
        np.zeros(count, np.float32),
        tracks,
    )
    lobe = flank_lobe(rng.uniform(20, 32), rng.uniform(0.1, 0.2), rng.uniform(-0.3, 0.3))
    return Mark("fold", "crease", shape, contrast * log_uniform(rng, 4, 25), lobe)


def place_in(area: Area, rng: Rng) -> tuple[float, float]:
    """Draw a place anywhere in an area, x and y in mm."""
    left, top, right, bottom = area
    return float(rng.uniform(left, right)), float(rng.uniform(top, bottom))


def _around(x_mm: float, y_mm: float, reach_mm: float) -> tuple[float, float, float, float]:
    return x_mm - reach_mm, y_mm - reach_mm, x_mm + reach_mm, y_mm + reach_mm

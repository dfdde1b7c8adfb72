"""What lies on the glass and can be wiped off: dust, fibres, stains, fingerprints. It scatters almost evenly.

Source: Turko 2021, section 3 and Fig. 3: weak modulation over azimuth, often saturated.
Shapes: H x W pixels of the mark's window, K blobs of one grain.
"""

from dataclasses import dataclass

import numpy as np

from hardware_ingest.dark_field.marks import place_in
from hardware_ingest.dark_field.patches import Window, bell, sampled, texture
from hardware_ingest.dark_field.scatter import Drawn, Mark, Real, Rng, View, even_lobe
from hardware_ingest.dark_field.scratches import Area, draw_line, grain, log_uniform, tapered
from hardware_ingest.dark_field.strokes import Stroke

# Light that a bright grain throws around itself inside the lens: share of its peak, and width over the grain's.
_HALO, _HALO_WIDTH = 0.004, 4.0
# A fingerprint's ridges lie half a millimetre apart.
_RIDGE_MM = (0.40, 0.55)


@dataclass(frozen=True)
class Grain:
    """A grain of dust: a few round blobs together.

    Attributes:
        x_mm: Place.
        y_mm: Place.
        blobs_K3: Offset x, offset y, sigma of each, mm.
        turn_deg: Direction of light in which it is a little brighter.
    """

    x_mm: float
    y_mm: float
    blobs_K3: tuple[tuple[float, float, float], ...]
    turn_deg: float = 0.0

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that may be drawn."""
        reach_mm = self._reach_mm(0.01)
        return self.x_mm - reach_mm, self.y_mm - reach_mm, self.x_mm + reach_mm, self.y_mm + reach_mm

    def draw(self, view: View) -> Drawn:
        """Return its pixels in a view, none when it lies outside."""
        window = Window(view, self.x_mm, self.y_mm, self._reach_mm(view.blur_mm))
        core_HW = np.zeros(window.x_HW.shape, np.float32)
        halo_HW = core_HW.copy()
        for x_mm, y_mm, sigma_mm in self.blobs_K3:
            distance_HW = np.hypot(window.x_HW - np.float32(x_mm), window.y_HW - np.float32(y_mm))
            sigma_mm = float(np.hypot(sigma_mm, view.blur_mm))
            np.maximum(core_HW, bell(distance_HW, sigma_mm), out=core_HW)
            np.maximum(halo_HW, bell(distance_HW, _HALO_WIDTH * sigma_mm), out=halo_HW)
        return window.drawn(core_HW, core_HW + np.float32(_HALO) * halo_HW, self.turn_deg)

    def _reach_mm(self, blur_mm: float) -> float:
        return max(float(np.hypot(x, y) + 6 * np.hypot(sigma, blur_mm)) for x, y, sigma in self.blobs_K3)


@dataclass(frozen=True)
class Film:
    """A dried drop or a smear: an uneven film, a drop with a brighter rim.

    Attributes:
        x_mm: Centre.
        y_mm: Centre.
        half_mm: Half its length.
        stretch: Length over width.
        angle_deg: Direction of its length.
        rim: Brightness of the rim over the film's; 0 for a smear.
        rough_HW: Texture, which also frays its outline.
    """

    x_mm: float
    y_mm: float
    half_mm: float
    stretch: float
    angle_deg: float
    rim: float
    rough_HW: Real

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that may be drawn."""
        reach_mm = 1.6 * self.half_mm
        return self.x_mm - reach_mm, self.y_mm - reach_mm, self.x_mm + reach_mm, self.y_mm + reach_mm

    def draw(self, view: View) -> Drawn:
        """Return its pixels in a view, none when it lies outside."""
        window = Window(view, self.x_mm, self.y_mm, 1.6 * self.half_mm)
        along_HW, across_HW = window.turned(self.angle_deg)
        distance_HW = np.hypot(along_HW, across_HW * np.float32(self.stretch)) / np.float32(self.half_mm)
        coarse_HW = sampled(self.rough_HW, along_HW, across_HW * np.float32(self.stretch), self.half_mm / 2.5)
        fine_HW = sampled(self.rough_HW, along_HW, across_HW * np.float32(self.stretch), self.half_mm / 14)
        edge_HW = distance_HW + 0.13 * coarse_HW
        soft = np.float32(0.04 if self.rim else 0.14)
        inside_HW = 1 / (1 + np.exp(np.clip((edge_HW - 0.9) / soft, -30, 30)))
        film_HW = np.clip(0.45 + 0.25 * coarse_HW + 0.2 * fine_HW, 0.08, 1.2)
        level_HW = inside_HW * film_HW / (1 + self.rim) + self.rim / (1 + self.rim) * bell(edge_HW - 0.88, 0.05)
        return window.drawn(np.asarray(inside_HW, np.float32), np.asarray(level_HW, np.float32), self.angle_deg)


@dataclass(frozen=True)
class Fingerprint:
    """Ridges around a core, broken into droplets.

    Attributes:
        x_mm: Centre.
        y_mm: Centre.
        half_mm: Half its length.
        angle_deg: Direction of its length.
        ridge_mm: Distance of its ridges.
        core_mm: Offset of the whorl from the centre, along its length.
        droplets_HW: Texture of sweat.
    """

    x_mm: float
    y_mm: float
    half_mm: float
    angle_deg: float
    ridge_mm: float
    core_mm: float
    droplets_HW: Real

    @property
    def bounds_mm(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all that may be drawn."""
        reach_mm = 1.2 * self.half_mm
        return self.x_mm - reach_mm, self.y_mm - reach_mm, self.x_mm + reach_mm, self.y_mm + reach_mm

    def draw(self, view: View) -> Drawn:
        """Return its pixels in a view, none when it lies outside."""
        window = Window(view, self.x_mm, self.y_mm, 1.2 * self.half_mm)
        along_HW, across_HW = window.turned(self.angle_deg)
        bent_HW = 0.5 * self.ridge_mm * sampled(self.droplets_HW, along_HW, across_HW, 2.2)
        # Ridges are arches: circles around the core on one side, drawn out on the other.
        from_core_HW = along_HW - np.float32(self.core_mm)
        arch_HW = np.hypot(np.where(from_core_HW < 0, from_core_HW, 0.45 * from_core_HW), across_HW) + bent_HW
        wave_HW = 0.5 + 0.5 * np.cos(np.float32(2 * np.pi / self.ridge_mm) * arch_HW)
        droplets_HW = np.clip(0.6 + 0.55 * sampled(self.droplets_HW, along_HW, across_HW, 0.06), 0, 1.4)
        pressed_HW = np.clip(1 + 0.4 * sampled(self.droplets_HW, across_HW, along_HW, 1.1), 0.1, 1.5)
        oval_HW = np.hypot(along_HW, 1.4 * across_HW) / np.float32(self.half_mm)
        inside_HW = 1 / (1 + np.exp(np.clip((oval_HW - 0.9) / 0.05, -30, 30)))
        level_HW = wave_HW**3 * droplets_HW * pressed_HW * inside_HW
        return window.drawn(np.asarray(inside_HW, np.float32), np.asarray(level_HW, np.float32), self.angle_deg)


def draw_dust(area: Area, evenness: float, rng: Rng) -> Mark:
    """Draw one grain of dust; `evenness` is the modulation over azimuth that contaminants have."""
    size_mm = log_uniform(rng, 0.008, 0.045)
    blobs = [(0.0, 0.0, size_mm)]
    for _ in range(rng.integers(0, 4)):
        x_mm, y_mm = rng.normal(0, 1.3 * size_mm, 2)
        blobs.append((float(x_mm), float(y_mm), size_mm * rng.uniform(0.4, 0.9)))
    lobe = even_lobe(evenness * rng.uniform(0.3, 1.2))
    shape = Grain(*place_in(area, rng), tuple(blobs), rng.uniform(0, 180))
    return Mark("dust", "grain", shape, log_uniform(rng, 60, 2500), lobe)


def draw_speck(area: Area, evenness: float, rng: Rng) -> Mark:
    """Draw one faint speck of fine dust."""
    shape = Grain(*place_in(area, rng), ((0.0, 0.0, rng.uniform(0.002, 0.008)),), rng.uniform(0, 180))
    return Mark("dust", "speck", shape, log_uniform(rng, 1.5, 40), even_lobe(evenness * rng.uniform(0.3, 1.5)))


def draw_fibre(area: Area, evenness: float, rng: Rng) -> Mark:
    """Draw one fibre of lint: a curled line that scatters evenly."""
    line_V2 = draw_line(area, log_uniform(rng, 0.4, 3.0), rng.uniform(0, 360), rng.uniform(-2.5, 2.5), rng)
    count = len(line_V2)
    shape = Stroke(
        line_V2, log_uniform(rng, 0.010, 0.030), np.sqrt(tapered(count, rng)), grain(count, 0.15, rng),
        np.zeros(count, np.float32),
    )  # fmt: skip
    return Mark("dust", "fibre", shape, log_uniform(rng, 8, 250), even_lobe(1.5 * evenness * rng.uniform(0.3, 1.2)))


def draw_stain(area: Area, evenness: float, rng: Rng) -> Mark:
    """Draw one stain: a dried drop or a smear."""
    drop = rng.random() < 0.55
    shape = Film(
        *place_in(area, rng), log_uniform(rng, 0.4, 2.5), rng.uniform(1.0, 1.3) if drop else rng.uniform(1.8, 4),
        rng.uniform(0, 180), rng.uniform(0.4, 2.0) if drop else 0.0, texture(rng, 48),
    )  # fmt: skip
    lobe = even_lobe(evenness * rng.uniform(0.5, 1.5))
    return Mark("stain", "drop" if drop else "smear", shape, log_uniform(rng, 2, 60), lobe)


def draw_fingerprint(area: Area, evenness: float, rng: Rng) -> Mark:
    """Draw one fingerprint."""
    half_mm = rng.uniform(3.0, 6.0)
    shape = Fingerprint(
        *place_in(area, rng), half_mm, rng.uniform(0, 180), rng.uniform(*_RIDGE_MM), half_mm * rng.uniform(-0.4, 0.3),
        texture(rng, 96),
    )  # fmt: skip
    return Mark("fingerprint", "print", shape, log_uniform(rng, 1.5, 12), even_lobe(evenness * rng.uniform(1, 2)))

"""Render the view of one glass: light, texture, spots, then the camera's columns and noise.

Shapes: H x W pixels of the view (1500 x 750), or of a spot's square.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hardware_ingest.line_scan.places import place_spots
from hardware_ingest.line_scan.settings import (
    CLASSES,
    HEIGHT_PX,
    SHARES,
    SPOTS_PER_GLASS,
    WIDTH_PX,
    LineScanSettings,
)  # fmt: skip
from hardware_ingest.line_scan.spots import RADIUS_PX, draw_spot

Grey = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Spot:
    """One mark on the glass.

    Attributes:
        category: Its class.
        kind: What was drawn, such as `ring`; several classes may share a kind.
        x_px: Column of its centre.
        y_px: Row of its centre.
        mark_HW: Contrast in shares of the local brightness, in the square around the centre.
    """

    category: str
    kind: str
    x_px: int
    y_px: int
    mark_HW: Real


def render_glass(glass: int, seed: int, settings: LineScanSettings, spots: int) -> tuple[Grey, list[Spot]]:
    """Render one glass from its own child of the seed, so that it does not depend on the others.

    Args:
        glass: Number of the glass, >= 0.
        seed: Seed of the data set, >= 0.
        settings: What the glasses are.
        spots: How many of the glass's spots it shows, 0 to SPOTS_PER_GLASS.

    Returns:
        View (H, W), uint8, and its spots.
    """
    # The same child that SeedSequence(seed).spawn gives at this position.
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(glass,)))
    view_HW, found = draw_view(settings, spots, rng)
    return _expose(view_HW, rng), found


def draw_view(settings: LineScanSettings, spots: int, rng: Rng) -> tuple[Real, list[Spot]]:
    """Draw the light that reaches the camera, before its columns and its noise.

    Args:
        settings: What the glasses are.
        spots: How many of the glass's spots it shows, 0 to SPOTS_PER_GLASS.
        rng: Source of everything.

    Returns:
        View (H, W) in grey levels of 8 bits, and its spots.
    """
    found = _draw_spots(settings, rng)[:spots]
    light_HW = _light(rng) * np.float32(settings.light)
    view_HW = light_HW + _texture(rng) * np.float32(settings.grain * settings.light)
    for spot in found:
        square = _square(spot)
        view_HW[square] += spot.mark_HW * light_HW[square]
    return view_HW, found


def _draw_spots(settings: LineScanSettings, rng: Rng) -> list[Spot]:
    # Evenly spaced shares: every glass holds every class, and counts differ by one at most.
    shares = (np.arange(SPOTS_PER_GLASS) + rng.random()) / SPOTS_PER_GLASS
    numbers = np.searchsorted(np.cumsum(list(SHARES.values()))[:-1], shares, side="right")
    categories = [CLASSES[number] for number in rng.permutation(numbers)]
    places = place_spots(categories, settings, rng)
    drawn = [draw_spot(category, rng, settings.mark_size) for category in categories]
    return [
        Spot(category, kind, x_px, y_px, mark_HW * np.float32(settings.contrast))
        for category, (x_px, y_px), (kind, mark_HW) in zip(categories, places, drawn, strict=True)
    ]


def _square(spot: Spot) -> tuple[slice, slice]:
    return (
        slice(spot.y_px - RADIUS_PX, spot.y_px + RADIUS_PX + 1),
        slice(spot.x_px - RADIUS_PX, spot.x_px + RADIUS_PX + 1),
    )


def _light(rng: Rng) -> Real:
    """Return the smooth brightness: lens fall-off across the belt, drift of the lamp along it."""
    across_W = np.linspace(-1, 1, WIDTH_PX, dtype=np.float32) - rng.uniform(-0.1, 0.1)
    along_H = np.linspace(0, 1, HEIGHT_PX, dtype=np.float32)
    # Level at the rim, where the lamp reaches beyond the glass: a slope there would itself look like a mark.
    fall_off_W = 1 - rng.uniform(0.12, 0.28) * (1 - np.cos(np.pi * across_W)) / 2
    drift_H = 1 + rng.uniform(0.01, 0.04) * np.sin(2 * np.pi * (rng.uniform(0.5, 1.5) * along_H + rng.random()))
    return np.asarray(rng.uniform(105, 145) * drift_H[:, None] * fall_off_W[None, :], np.float32)


def _texture(rng: Rng) -> Real:
    """Return the glass's own structure: wide clouds and a fine grain, in grey levels."""
    clouds_HW = _upsampled(rng, (10, 5), rng.uniform(0.8, 2.0))
    return clouds_HW + _upsampled(rng, (HEIGHT_PX // 4, WIDTH_PX // 4), rng.uniform(0.1, 0.3))


def _upsampled(rng: Rng, coarse_HW: tuple[int, int], sigma: float) -> Real:
    noise_HW = rng.standard_normal(coarse_HW, np.float32) * np.float32(sigma)
    return np.asarray(cv2.resize(noise_HW, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC), np.float32)


def _expose(view_HW: Real, rng: Rng) -> Grey:
    """Return what the camera makes of it: uneven columns, flicker of the lines, noise of light and sensor."""
    columns_W = 1 + 0.003 * rng.standard_normal(WIDTH_PX, np.float32)
    lines_H = 1 + 0.002 * rng.standard_normal(HEIGHT_PX, np.float32)
    view_HW *= columns_W[None, :] * lines_H[:, None]
    noise_HW = rng.standard_normal((HEIGHT_PX, WIDTH_PX), np.float32)
    noise_HW *= np.float32(rng.uniform(0.18, 0.26)) * np.sqrt(np.maximum(view_HW, 1))
    return np.clip(np.rint(view_HW + noise_HW), 0, 255).astype(np.uint8)

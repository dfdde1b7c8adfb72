"""What a spot looks like: one function per kind of mark, and which kinds each class shows.

`press` and `lint` belong to several classes on purpose: from such a picture alone nobody can tell the
class, only the place can.
Shapes: H x W pixels of a square of 2 * RADIUS_PX + 1 around the spot's centre.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float32]
Rng = np.random.Generator

RADIUS_PX = 40
#: Contrast of a spot's strongest pixel, in shares of the local brightness.
CONTRAST = (0.18, 0.45)

_EDGE_PX = 2 * RADIUS_PX + 1
_Y_HW, _X_HW = np.mgrid[-RADIUS_PX : RADIUS_PX + 1, -RADIUS_PX : RADIUS_PX + 1].astype(np.float32)
# Marks fade out before the square ends.
_FADE_HW = np.clip((RADIUS_PX - np.hypot(_X_HW, _Y_HW)) / 6, 0, 1).astype(np.float32)


def draw_spot(category: str, rng: Rng, size: float = 1.0) -> tuple[str, Real]:
    """Draw one spot of a class.

    Args:
        category: One of the classes.
        rng: Source of its kind, shape and contrast.
        size: Factor on its size.

    Returns:
        Name of its kind, and its contrast (H, W) in shares of the local brightness, 0 outside the mark.
    """
    kinds = _KINDS[category]
    kind = str(rng.choice(list(kinds), p=list(kinds.values())))
    mark_HW = _resized(_DRAW[kind](rng), size) * _FADE_HW
    peak = float(np.abs(mark_HW).max())
    return kind, mark_HW * np.float32(rng.uniform(*CONTRAST) / peak)


def _resized(mark_HW: Real, size: float) -> Real:
    """Return a mark larger or smaller around its centre."""
    if size == 1:
        return mark_HW
    about_centre = cv2.getRotationMatrix2D((RADIUS_PX, RADIUS_PX), 0, size)
    return np.asarray(cv2.warpAffine(mark_HW, about_centre, (_EDGE_PX, _EDGE_PX), flags=cv2.INTER_LINEAR), np.float32)


def _dipole(rng: Rng) -> Real:
    """A small press, lit along the belt: a bright flank beside a dark one."""
    sigma_px = rng.uniform(3.0, 6.5)
    along_HW, across_HW = _turned(rng.normal(np.pi / 2, 0.4) + np.pi * rng.integers(2))
    stretch = rng.uniform(1.0, 1.5)
    return along_HW / sigma_px * np.exp(-(along_HW**2 + (across_HW / stretch) ** 2) / (2 * sigma_px**2))


def _ring(rng: Rng) -> Real:
    """The pressing tool's mark: a broad uneven ring around a blot."""
    angle_HW, distance_HW = _polar(rng, stretch=1.25)
    radius_px, sigma_px = rng.uniform(6.0, 11.0), rng.uniform(1.8, 2.8)
    uneven_HW = 1 + rng.uniform(0.1, 0.3) * np.cos(2 * angle_HW + rng.uniform(0, 2 * np.pi))
    ring_HW = uneven_HW * _bell(distance_HW - radius_px, sigma_px)
    return _sign(rng) * (ring_HW + rng.uniform(-0.2, 0.6) * _bell(distance_HW, radius_px / 2))


def _press(rng: Rng) -> Real:
    """Between dent and mould mark: a ring with one bright and one dark side."""
    angle_HW, distance_HW = _polar(rng, stretch=1.25)
    radius_px, sigma_px = rng.uniform(4.0, 9.0), rng.uniform(1.8, 3.0)
    lit_HW = np.cos(angle_HW - rng.normal(np.pi / 2, 0.4)) * rng.choice([-1.0, 1.0])
    return _bell(distance_HW - radius_px, sigma_px) * (lit_HW + rng.uniform(-0.5, 0.5))


def _crease(rng: Rng) -> Real:
    """A fold: a long straight line, bright with a dark shoulder."""
    along_HW, across_HW = _bent(rng, bend=0.002)
    half_px, sigma_px = rng.uniform(17, 30), rng.uniform(1.3, 2.0)
    line_HW = _bell(across_HW, sigma_px) - rng.uniform(0.5, 0.8) * _bell(across_HW - 2.6 * sigma_px, sigma_px)
    return _sign(rng) * line_HW * _ends(along_HW, half_px)


def _lint(rng: Rng) -> Real:
    """A fibre, or a fold that lies flat: a plain, slightly bent line."""
    along_HW, across_HW = _bent(rng, bend=0.008)
    return _sign(rng) * _bell(across_HW, rng.uniform(1.3, 2.0)) * _ends(along_HW, rng.uniform(12, 24))


def _dust(rng: Rng) -> Real:
    """One to three specks."""
    mark_HW = np.zeros((_EDGE_PX, _EDGE_PX), np.float32)
    sign = _sign(rng)
    for _ in range(rng.integers(1, 4)):
        x, y = rng.normal(0, 5, 2)
        mark_HW += rng.uniform(0.6, 1) * _bell(np.hypot(_X_HW - x, _Y_HW - y), rng.uniform(1.6, 2.6))
    return sign * mark_HW


def _water(rng: Rng) -> Real:
    """A dried drop: a wide thin rim, paler inside."""
    _, distance_HW = _polar(rng, stretch=1.15)
    radius_px = rng.uniform(12, 20)
    inside_HW = 0.25 / (1 + np.exp(distance_HW - radius_px))
    return _sign(rng) * (_bell(distance_HW - radius_px, rng.uniform(1.2, 1.8)) - inside_HW)


def _smear(rng: Rng) -> Real:
    """A finger's print: a few parallel ridges."""
    along_HW, across_HW = _bent(rng, bend=0.012)
    ridges_HW = np.cos(2 * np.pi * across_HW / rng.uniform(6, 9) + rng.uniform(0, 2 * np.pi))
    return ridges_HW * _bell(along_HW, rng.uniform(7, 11)) * _bell(across_HW, rng.uniform(6, 9))


def _clump(rng: Rng) -> Real:
    """A patch of coarse noise, such as a residue of cleaning."""
    noise_HW = rng.standard_normal((_EDGE_PX, _EDGE_PX), np.float32)
    noise_HW = cv2.GaussianBlur(noise_HW, (0, 0), rng.uniform(1.5, 2.2))
    return noise_HW * _bell(np.hypot(_X_HW, _Y_HW), rng.uniform(5, 8))


def _turned(angle: float) -> tuple[Real, Real]:
    along_HW = _X_HW * np.float32(np.cos(angle)) + _Y_HW * np.float32(np.sin(angle))
    across_HW = _Y_HW * np.float32(np.cos(angle)) - _X_HW * np.float32(np.sin(angle))
    return along_HW, across_HW


def _bent(rng: Rng, bend: float) -> tuple[Real, Real]:
    along_HW, across_HW = _turned(rng.uniform(0, np.pi))
    return along_HW, across_HW + np.float32(rng.uniform(-bend, bend)) * along_HW**2


def _polar(rng: Rng, stretch: float) -> tuple[Real, Real]:
    """Return angle and distance from the centre, the latter stretched in some direction."""
    along_HW, across_HW = _turned(rng.uniform(0, np.pi))
    return np.arctan2(_Y_HW, _X_HW), np.hypot(along_HW * np.float32(rng.uniform(1, stretch)), across_HW)


def _bell(distance_HW: Real, sigma_px: float) -> Real:
    return np.exp(-(distance_HW**2) / np.float32(2 * sigma_px**2))


def _ends(along_HW: Real, half_px: float) -> Real:
    return np.asarray(1 / (1 + np.exp((np.abs(along_HW) - np.float32(half_px)) / 2)), np.float32)


def _sign(rng: Rng) -> np.float32:
    return np.float32(rng.choice([-1.0, 1.0]))


_DRAW: Mapping[str, Callable[[Rng], Real]] = {
    "dipole": _dipole, "ring": _ring, "press": _press, "crease": _crease, "lint": _lint, "dust": _dust,
    "water": _water, "smear": _smear, "clump": _clump,
}  # fmt: skip

#: Kinds of mark that each class shows, and how often.
_KINDS: Mapping[str, Mapping[str, float]] = {
    "dent": {"dipole": 0.54, "press": 0.46},
    "mold": {"ring": 0.48, "press": 0.52},
    "fold": {"crease": 0.70, "lint": 0.30},
    "control": {"dust": 0.37, "water": 0.17, "smear": 0.19, "clump": 0.19, "press": 0.04, "lint": 0.04},
}

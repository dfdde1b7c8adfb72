"""Scratches: triangular profiles that shine when lit across, rugged ones with peaks of their own.

Source: Turko 2021, section 3: profiles and directional scatter; widths of 1 to 8 px.
"""

import numpy as np

from hardware_ingest.dark_field.scatter import Mark, Real, Rng, flank_lobe, rugged_lobe
from hardware_ingest.dark_field.strokes import Line, Stroke

#: Left, top, right, bottom of where marks may lie, mm.
Area = tuple[float, float, float, float]

_VERTEX_MM = 0.05
_WIDTH_MM = (0.010, 0.090)
_LENGTH_MM = (1.0, 25.0)
_RATE = (4.0, 150.0)
_RUGGED_SHARE = 0.35


def draw_scratch(area: Area, contrast: float, rng: Rng) -> Mark:
    """Draw one scratch inside an area.

    Args:
        area: Where it may lie.
        contrast: Factor on its brightness.
        rng: Source of its profile, form, place and strength.
    """
    form = str(rng.choice(["straight", "curved", "broken"], p=[0.45, 0.35, 0.20]))
    bend = rng.uniform(-1, 1) if form != "straight" else 0.0
    line_V2 = draw_line(area, log_uniform(rng, *_LENGTH_MM), rng.uniform(0, 360), bend, rng)
    width_mm = log_uniform(rng, *_WIDTH_MM)
    rate = contrast * log_uniform(rng, *_RATE)
    rugged = rng.random() < _RUGGED_SHARE
    ends_V = tapered(len(line_V2), rng)
    if form == "broken":
        ends_V = ends_V * _pieces(len(line_V2), rng)
    grain_V = grain(len(line_V2), 0.3 if rugged else 0.18, rng)
    floor = rng.uniform(0.03, 0.08)
    if not rugged:
        stroke = Stroke(line_V2, width_mm, ends_V, grain_V, np.zeros(len(line_V2), np.float32))
        lobe = flank_lobe(rng.uniform(3, 9), floor, rng.uniform(-0.6, 0.6))
        return Mark("scratch", f"triangular-{form}", stroke, rate, lobe)
    twist_deg_V = np.repeat(rng.normal(0, 8, len(line_V2) // 8 + 1), 8)[: len(line_V2)].astype(np.float32)
    stroke = Stroke(line_V2, width_mm, ends_V, grain_V, twist_deg_V, _ridges(rng))
    return Mark("scratch", f"rugged-{form}", stroke, rate, rugged_lobe(rng, floor))


def draw_line(area: Area, length_mm: float, angle_deg: float, bend: float, rng: Rng) -> Line:
    """Draw a centre line whose middle lies anywhere in an area; what leaves the area is cut off.

    Args:
        area: Where it may lie.
        length_mm: Length before the cut.
        angle_deg: Direction in its middle.
        bend: Turn from end to end and waviness, 0 (straight) to 1, either sign.
        rng: Source of place and waviness.

    Returns:
        (V, 2) vertices, x and y in mm, V >= 3.
    """
    left, top, right, bottom = area
    count = max(int(length_mm / _VERTEX_MM), 3)
    share_V = np.linspace(-0.5, 0.5, count)
    wave_V = np.sin(2 * np.pi * (rng.uniform(0.5, 2) * share_V + rng.random()))
    turn_V = np.deg2rad(angle_deg) + bend * (1.2 * share_V + rng.uniform(0, 0.25) * wave_V)
    step_mm = length_mm / count
    steps_V2 = step_mm * np.stack([np.cos(turn_V), np.sin(turn_V)], axis=1)
    line_V2 = np.cumsum(steps_V2, axis=0)
    line_V2 += [rng.uniform(left, right), rng.uniform(top, bottom)] - line_V2[count // 2]
    inside_V = np.all((line_V2 >= [left, top]) & (line_V2 <= [right, bottom]), axis=1)
    out_V = np.flatnonzero(~inside_V)
    first = max(out_V[out_V < count // 2], default=-1) + 1
    last = min(out_V[out_V > count // 2], default=count)
    return line_V2[min(first, count // 2 - 1) : max(last, count // 2 + 2)]


def tapered(count: int, rng: Rng) -> Real:
    """Draw how a line of `count` vertices begins and ends: 0 outside, 1 inside."""
    at_V = np.linspace(0, 1, count)
    begin, end = rng.uniform(0.02, 0.15, 2)
    return np.asarray(np.clip(at_V / begin, 0, 1) * np.clip((1 - at_V) / end, 0, 1), np.float32)


def grain(count: int, sigma: float, rng: Rng) -> Real:
    """Draw brightness along a line of `count` vertices: log-normal, median 1."""
    fine_V = rng.standard_normal(count)
    coarse_V = np.interp(
        np.arange(count), np.arange(0, count + 12, 12), rng.standard_normal(len(range(0, count + 12, 12)))
    )
    return np.asarray(np.exp(sigma * np.clip(0.6 * fine_V + 0.8 * coarse_V, -2.5, 2.5)), np.float32)


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _pieces(count: int, rng: Rng) -> Real:
    """Draw where a broken scratch is missing: 0, and 1 elsewhere."""
    there_V = np.ones(count, np.float32)
    for _ in range(rng.integers(1, 5)):
        half = max(int(count * rng.uniform(0.02, 0.07)), 2)
        middle = int(count * rng.uniform(0.15, 0.85))
        there_V[max(middle - half, 0) : middle + half] = 0
    return there_V


def _ridges(rng: Rng) -> tuple[tuple[float, float, float], ...]:
    """Draw two or three ridges across a rugged profile, the highest of height 1."""
    count = int(rng.integers(2, 4))
    offsets = np.linspace(-0.32, 0.32, count) + rng.normal(0, 0.06, count)
    heights = rng.uniform(0.6, 1.0, count)
    heights /= heights.max()
    return tuple((float(offset), 0.35, float(height)) for offset, height in zip(offsets, heights, strict=True))

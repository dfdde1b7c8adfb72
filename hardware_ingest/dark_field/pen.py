"""What an inspector does to a glass: wipes at what may be dirt, and marks defects with a pen.

Shapes: V vertices of a line.
"""

from dataclasses import replace

import numpy as np

from hardware_ingest.dark_field.scatter import Mark, Rng, even_lobe
from hardware_ingest.dark_field.scratches import grain, log_uniform
from hardware_ingest.dark_field.settings import DEFECTS
from hardware_ingest.dark_field.strokes import Line, Stroke

# What happens to a contaminant while a glass is inspected; the rest stays where it is.
_WIPED, _MOVED = 0.15, 0.10
_MOVE_MM = (0.3, 3.0)
# A longer defect is struck through beside its middle instead of circled.
_CIRCLED_MM = 5.0
_PEN_MM = (0.2, 0.4)


def inspected(marks: tuple[Mark, ...], rng: Rng) -> tuple[Mark, ...]:
    """Return what is on a glass after its inspection: defects, most of the dirt, and the pen's ink.

    Args:
        marks: What was on it.
        rng: Source of what is wiped, what moves, and of the pen's strokes.
    """
    after = []
    for mark in marks:
        if mark.label in DEFECTS:
            after.append(mark)
            continue
        fate = rng.random()
        if fate < _WIPED:
            continue
        after.append(_moved(mark, rng) if fate < _WIPED + _MOVED else mark)
    return (*after, *(_ink(mark, rng) for mark in marks if mark.label in DEFECTS))


def _moved(mark: Mark, rng: Rng) -> Mark:
    away_mm, turn = rng.uniform(*_MOVE_MM), rng.uniform(0, 2 * np.pi)
    x_mm, y_mm = away_mm * np.cos(turn), away_mm * np.sin(turn)
    if isinstance(mark.shape, Stroke):
        return replace(mark, shape=replace(mark.shape, line_V2=mark.shape.line_V2 + np.array([x_mm, y_mm])))
    at = mark.shape
    return replace(mark, shape=replace(at, x_mm=at.x_mm + x_mm, y_mm=at.y_mm + y_mm))  # type: ignore[type-var, attr-defined]


def _ink(mark: Mark, rng: Rng) -> Mark:
    """Circle a short defect; strike beside a long one."""
    left, top, right, bottom = mark.shape.bounds_mm
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    extent_mm = max(right - left, bottom - top)
    if extent_mm <= _CIRCLED_MM:
        line_V2, kind = _circle(middle, max(extent_mm / 2, 0.4) + rng.uniform(0.5, 1.0), rng), "circle"
    else:
        line_V2, kind = _strike(middle, rng), "strike"
    count = len(line_V2)
    shape = Stroke(
        line_V2, rng.uniform(*_PEN_MM), np.ones(count, np.float32), grain(count, 0.2, rng), np.zeros(count, np.float32),
        ((-0.4, 0.4, 0.9), (0.0, 0.8, 0.7), (0.4, 0.4, 0.9)),
    )  # fmt: skip
    return Mark("pen", kind, shape, log_uniform(rng, 12, 60), even_lobe(0.05))


def _circle(middle: Line, radius_mm: float, rng: Rng) -> Line:
    """Draw a circle as a hand does: not quite round, not quite closed."""
    turn_V = np.linspace(0, 2 * np.pi * rng.uniform(0.85, 0.95), 120) + rng.uniform(0, 2 * np.pi)
    radius_V = radius_mm * (1 + 0.06 * np.sin(2 * turn_V + rng.uniform(0, 6)) + 0.04 * np.linspace(-1, 1, 120))
    return np.asarray(middle + radius_V[:, None] * np.stack([np.cos(turn_V), np.sin(turn_V)], axis=1))


def _strike(middle: Line, rng: Rng) -> Line:
    angle = rng.uniform(0, 2 * np.pi)
    aside = middle + rng.uniform(1.0, 1.8) * np.array([np.cos(angle), np.sin(angle)])
    along = angle + np.pi / 2 + rng.normal(0, 0.3)
    share_V = np.linspace(-0.5, 0.5, 60)[:, None] * rng.uniform(2.0, 4.0)
    return np.asarray(aside + share_V * np.array([np.cos(along), np.sin(along)]) + 0.1 * share_V**2)

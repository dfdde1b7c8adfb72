"""What lies on one glass: defects, contaminants, and what a tool leaves on every glass; drawn from a seed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from glassline.data.captures.meta import Kind
from hardware_ingest.dark_field.contaminants import draw_dust, draw_fibre, draw_fingerprint, draw_speck, draw_stain
from hardware_ingest.dark_field.marks import draw_dent, draw_fold, draw_mold
from hardware_ingest.dark_field.pen import inspected
from hardware_ingest.dark_field.scatter import Mark, Rng
from hardware_ingest.dark_field.scratches import Area, draw_scratch
from hardware_ingest.dark_field.settings import Difficulty
from hardware_ingest.zones import ZoneGrid

# How far the glass reaches beyond the zones, and how far defects keep from the zones' outer border.
RIM_MM = 0.2
_MARGIN_MM = 0.6


class Stream(IntEnum):
    """What a child of the seed is for."""

    rig = 0
    tool = 1
    content = 2
    inspection = 3
    jitter = 4
    noise = 5
    boxes = 6


def child(seed: int, stream: Stream, *of: int) -> np.random.SeedSequence:
    """Return the child of a seed for one purpose, the same whatever else was drawn."""
    return np.random.SeedSequence(seed, spawn_key=(int(stream), *(number % 2**32 for number in of)))


@dataclass(frozen=True)
class Glass:
    """One glass.

    Attributes:
        marks: Everything on it, in the order drawn.
        size_mm: Width and height that the zones cover.
    """

    marks: tuple[Mark, ...]
    size_mm: tuple[float, float]


def draw_glass(
    number: int, seed: int, kind: Kind, difficulty: Difficulty, grid: ZoneGrid, systematic_rate: float = 0.0
) -> Glass:
    """Draw one glass from its own children of the seed.

    Args:
        number: Number of the glass, >= 0.
        seed: Seed of the data set, >= 0.
        kind: As it leaves the washer, or after the inspector's pen.
        difficulty: What lies on a glass.
        grid: Zones, which set the glass's size.
        systematic_rate: Share of glasses with the tool's scratch, 0 to 1.
    """
    rng = np.random.default_rng(child(seed, Stream.content, number))
    width_mm, height_mm = grid.size_mm
    area = (0.0, 0.0, width_mm, height_mm)
    marks = [*_defects(difficulty, area, rng)]
    if rng.random() < systematic_rate:
        marks.append(_of_the_tool(number, seed, difficulty, area))
    marks += _contaminants(difficulty, area, rng)
    if kind == "marked":
        marks = list(inspected(tuple(marks), np.random.default_rng(child(seed, Stream.inspection, number))))
    return Glass(tuple(marks), (width_mm, height_mm))


def _defects(difficulty: Difficulty, area: Area, rng: Rng) -> list[Mark]:
    left, top, right, bottom = area
    inner = (left + _MARGIN_MM, top + _MARGIN_MM, right - _MARGIN_MM, bottom - _MARGIN_MM)
    good = rng.random() < difficulty.good_share
    means = {
        draw_scratch: difficulty.scratches, draw_dent: difficulty.dents, draw_mold: difficulty.molds,
        draw_fold: difficulty.folds,
    }  # fmt: skip
    return [
        draw(inner, difficulty.contrast, rng)
        for draw, mean in means.items()
        for _ in range(0 if good else rng.poisson(mean))
    ]


def _of_the_tool(number: int, seed: int, difficulty: Difficulty, area: Area) -> Mark:
    """Return the scratch that one tool leaves: the same form and place, hardly moved, now fainter, now stronger."""
    left, top, right, bottom = area
    inner = (0.8 * left + 0.2 * right, 0.8 * top + 0.2 * bottom, 0.2 * left + 0.8 * right, 0.2 * top + 0.8 * bottom)
    mark = draw_scratch(inner, difficulty.contrast, np.random.default_rng(child(seed, Stream.tool)))
    rng = np.random.default_rng(child(seed, Stream.tool, number))
    line_V2 = mark.shape.line_V2 + rng.normal(0, 0.03, 2)  # type: ignore[attr-defined]
    shape = replace(mark.shape, line_V2=line_V2)  # type: ignore[type-var]
    return replace(mark, shape=shape, rate=mark.rate * rng.uniform(0.7, 1.4), systematic=True)


def _contaminants(difficulty: Difficulty, area: Area, rng: Rng) -> list[Mark]:
    left, top, right, bottom = area
    cm2 = (right - left) * (bottom - top) / 100
    means: dict[Callable[[Area, float, Rng], Mark], float] = {
        draw_dust: difficulty.dust_per_cm2, draw_speck: difficulty.specks_per_cm2,
        draw_fibre: difficulty.fibres_per_cm2, draw_stain: difficulty.stains_per_cm2,
        draw_fingerprint: difficulty.fingerprints_per_cm2,
    }  # fmt: skip
    return [
        draw(area, difficulty.evenness, rng) for draw, mean in means.items() for _ in range(rng.poisson(mean * cm2))
    ]

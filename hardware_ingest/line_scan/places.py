"""Where spots lie on a glass: each defect's usual places, or anywhere."""

from collections.abc import Sequence

import numpy as np

from hardware_ingest.line_scan.settings import HEIGHT_PX, PITCH_UM, WIDTH_PX, WINDOW_PX, LineScanSettings

#: The mould's gates, where its marks sit: x, y in mm; those of the second design.
GATES_MM = ((18.0, 30.0), (57.0, 30.0), (18.0, 120.0), (57.0, 120.0))
SECOND_GATES_MM = ((37.5, 20.0), (15.0, 75.0), (60.0, 75.0), (37.5, 130.0))

_WIDTH_MM, _HEIGHT_MM = WIDTH_PX * PITCH_UM / 1000, HEIGHT_PX * PITCH_UM / 1000
# A window around any spot lies inside the view, wherever a detector sees its centre.
_MARGIN_PX = WINDOW_PX // 2 + 8
# Share of defects that lie anywhere even when places are informative.
_ASTRAY = 0.06
_TRIES = 50

Rng = np.random.Generator


def place_spots(categories: Sequence[str], settings: LineScanSettings, rng: Rng) -> list[tuple[int, int]]:
    """Draw a centre for each spot, so that no window of one holds another's centre.

    A spot that finds its usual places taken lies anywhere; there is room, because 12 windows block at
    most two thirds of the view.

    Args:
        categories: Class of each spot, at most SPOTS_PER_GLASS.
        settings: Whether places are informative.
        rng: Source of the places.

    Returns:
        Column and row of each centre in px, WINDOW_PX or more apart in one of both.
    """
    placed: list[tuple[int, int]] = []
    for category in categories:
        usual = category if settings.location == "informative" and rng.random() >= _ASTRAY else "control"
        tries = 0
        while True:
            drawn = usual if tries < _TRIES else "control"
            x_mm, y_mm = _draw(drawn, rng) if settings.design == "first" else _draw_second(drawn, rng)
            x_px, y_px = round(x_mm * 1000 / PITCH_UM), round(y_mm * 1000 / PITCH_UM)
            if _inside(x_px, y_px) and all(_apart(x_px, y_px, *other) for other in placed):
                break
            tries += 1
        placed.append((x_px, y_px))
    return placed


def _draw(category: str, rng: Rng) -> tuple[float, float]:
    """Draw a place in mm: molds around the gates, dents in the middle band, folds along the long edges."""
    x_mm, y_mm = rng.uniform(0, _WIDTH_MM), rng.uniform(0, _HEIGHT_MM)
    match category:
        case "mold":
            gate_x_mm, gate_y_mm = GATES_MM[rng.integers(len(GATES_MM))]
            return rng.normal(gate_x_mm, 5.0), rng.normal(gate_y_mm, 5.0)
        case "dent":
            return x_mm, rng.normal(_HEIGHT_MM / 2, 13.0)
        case "fold":
            from_edge_mm = _MARGIN_PX * PITCH_UM / 1000 + abs(rng.normal(0, 4.0))
            return from_edge_mm if rng.random() < 0.5 else _WIDTH_MM - from_edge_mm, y_mm
    return x_mm, y_mm


def _draw_second(category: str, rng: Rng) -> tuple[float, float]:
    """Draw a place in mm on the second design: dents in two bands near the ends, folds along the short edges."""
    x_mm, y_mm = rng.uniform(0, _WIDTH_MM), rng.uniform(0, _HEIGHT_MM)
    match category:
        case "mold":
            gate_x_mm, gate_y_mm = SECOND_GATES_MM[rng.integers(len(SECOND_GATES_MM))]
            return rng.normal(gate_x_mm, 5.0), rng.normal(gate_y_mm, 5.0)
        case "dent":
            return x_mm, rng.normal(_HEIGHT_MM * rng.choice([0.3, 0.7]), 8.0)
        case "fold":
            from_edge_mm = _MARGIN_PX * PITCH_UM / 1000 + abs(rng.normal(0, 4.0))
            return x_mm, from_edge_mm if rng.random() < 0.5 else _HEIGHT_MM - from_edge_mm
    return x_mm, y_mm


def _inside(x_px: int, y_px: int) -> bool:
    return _MARGIN_PX <= x_px < WIDTH_PX - _MARGIN_PX and _MARGIN_PX <= y_px < HEIGHT_PX - _MARGIN_PX


def _apart(x_px: int, y_px: int, other_x_px: int, other_y_px: int) -> bool:
    return max(abs(x_px - other_x_px), abs(y_px - other_y_px)) >= WINDOW_PX

"""How well the stage comes back to the same place: by what it reports, and by what the camera sees.

Shapes: H x W pixels of a frame.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassline.data.captures.meta import Pattern
from glassline.errors import DeviceError
from glassline.vision.light_states import above_background
from glassline.vision.shift import ShiftSettings, measure_shift
from hardware_ingest.devices import Frame, Stage


@dataclass(frozen=True)
class Repeatability:
    """Farthest from the first arrival that the stage came to stand, over all later ones."""

    #: By its own report.
    reported_um: float
    #: By the camera.
    seen_um: float


def repeatability(
    stage: Stage, look: Callable[[], Frame], pattern: Pattern, pitch_um: float, place_mm: tuple[float, float],
    away_mm: tuple[float, float], times: int,
) -> Repeatability:  # fmt: skip
    """Move to a place, then away and back some times, and compare every arrival with the first.

    Args:
        stage: A stage that is ready.
        look: Takes a frame (H, W) of what lies under the camera now, lit.
        pattern: Colour filter of the camera.
        pitch_um: Pixel pitch on the glass.
        place_mm: Place to come back to; dust or a scratch must be seen there.
        away_mm: Place to go to in between.
        times: Ways there and back, at least 1.

    Returns:
        Both spreads in um.

    Raises:
        DeviceError: A device does not do as told, or nothing is seen to compare.
    """
    places_mm, seen = [], []
    for arrival in range(times + 1):
        if arrival:
            stage.move_to(*away_mm)
            stage.wait_for_idle()
            # As in a session, where every stop is looked at.
            look()
        stage.move_to(*place_mm)
        places_mm.append(stage.wait_for_idle())
        seen.append(above_background(look(), pattern))
    reported_um = max(1000 * float(np.hypot(x - places_mm[0][0], y - places_mm[0][1])) for x, y in places_mm[1:])
    settings = ShiftSettings()
    shifts = [measure_shift(seen[0], strength_HW, pitch_um, settings) for strength_HW in seen[1:]]
    least = min(shift.response for shift in shifts)
    if least < settings.min_response:
        raise DeviceError(
            f"{stage.name}: frames of one place must correlate by >= {settings.min_response:g}, got {least:.2f}; put a "
            "glass with dust or scratches under the camera"
        )
    return Repeatability(reported_um, max(shift.length_um(pitch_um) for shift in shifts))

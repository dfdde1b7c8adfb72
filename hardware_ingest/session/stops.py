"""Where the stage must stop, so that every zone is seen by one camera."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hardware_ingest.rig.settings import RigSettings
from hardware_ingest.zones import Zone

#: A camera sees a zone when its first pixel comes this near to the zone's.
NEAR_MM = 0.05


@dataclass(frozen=True)
class Stop:
    """One place of the stage, and which camera sees which zone from there."""

    x_mm: float
    y_mm: float
    #: (number of the camera, zone), one pair per camera that sees a zone.
    seen: tuple[tuple[int, Zone], ...]


def first_stop(zones: Sequence[Zone], settings: RigSettings) -> Stop:
    """Return the stop that the first of some zones is seen from."""
    return next(plan_stops(zones, [camera.offset_mm for camera in settings.cameras]))


def plan_stops(zones: Sequence[Zone], offsets_mm: Sequence[tuple[float, float]]) -> Iterator[Stop]:
    """Yield the stops in order of the first zone that each sees.

    Args:
        zones: Zones still to capture.
        offsets_mm: Per camera, the place on the glass of its first pixel minus that of the stage.
    """
    left = list(zones)
    while left:
        first = left[0]
        x_mm, y_mm = first.x_mm - offsets_mm[0][0], first.y_mm - offsets_mm[0][1]
        seen = []
        for camera, (off_x_mm, off_y_mm) in enumerate(offsets_mm):
            for zone in left:
                if max(abs(x_mm + off_x_mm - zone.x_mm), abs(y_mm + off_y_mm - zone.y_mm)) <= NEAR_MM:
                    seen.append((camera, zone))
                    left.remove(zone)
                    break
        yield Stop(x_mm, y_mm, tuple(seen))

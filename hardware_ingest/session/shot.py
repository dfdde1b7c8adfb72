"""What one camera has seen of one zone.

Shapes: S light states x H x W pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from glassline.data.captures.store import Frames
from hardware_ingest.zones import Zone


@dataclass(frozen=True)
class Shot:
    """All frames of a zone, and where it lies."""

    zone: Zone
    camera: int
    #: Place on the glass of the zone's first pixel, as the stage reported it.
    x_mm: float
    y_mm: float
    frames_SHW: Frames


class Scan(Protocol):
    """A way to take zones: frame by frame, or line by line."""

    #: Frames that came broken and were taken again.
    retaken: int

    def check(self, zones: Sequence[Zone]) -> None:
        """Check the lights where the first of the zones lies.

        Raises:
            DeviceError: An LED group is stuck or dead, or there is stray light; names the group.
        """
        ...

    def take(self, zones: Sequence[Zone]) -> Iterator[Shot]:
        """Yield at least the first of the zones.

        Raises:
            DeviceFault: A device failed; what was yielded counts.
        """
        ...

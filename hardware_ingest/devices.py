"""What a capture session asks of a camera, an illuminator and a stage, real or simulated.

Shapes: H x W pixels of a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from glassline.data.captures.meta import Pattern

Frame = npt.NDArray[np.uint16]

#: LED groups of the ring, one every 30 degrees; light state i lights the opposite groups i and i + 6.
LED_GROUPS = 12
LIGHT_STATES = 6
AZIMUTHS_DEG = tuple(30.0 * state for state in range(LIGHT_STATES))


@dataclass(frozen=True)
class CameraInfo:
    """What a camera says of itself once it is set up."""

    model: str
    serial: str
    width_px: int
    height_px: int
    pattern: Pattern
    bit_depth: int


class Camera(Protocol):
    """An area or line camera that is triggered frame by frame."""

    name: str

    def ensure_ready(self) -> CameraInfo:
        """Connect unless connected, write the settings, read them back.

        Raises:
            DeviceError: It does not answer, or refuses a setting.
        """
        ...

    def start_acquiring(self) -> None:
        """Wait for triggers from now on."""
        ...

    def trigger(self, exposure_us: float) -> None:
        """Start one exposure; returns once the exposure is over, while the frame still travels."""
        ...

    def read_frame(self) -> Frame:
        """Return the frame of the last trigger, (H, W), whole.

        Raises:
            DeviceError: It did not arrive in time, arrived in part, or out of turn.
        """
        ...

    def ensure_stopped(self) -> None:
        """Stop acquiring and let go of the device; never raises because it was stopped or unplugged."""
        ...


class Illuminator(Protocol):
    """The ring of LED groups."""

    name: str

    def ensure_ready(self) -> None:
        """Connect unless connected, all groups off.

        Raises:
            DeviceError: It does not answer.
        """
        ...

    def switch(self, groups: Sequence[int]) -> None:
        """Light exactly these groups, numbers 0 to 11; returns once they have settled.

        Raises:
            DeviceError: It does not answer, or reads back another state.
        """
        ...

    def ensure_stopped(self) -> None:
        """All groups off and let go of the device.

        Raises:
            DeviceError: The lights could not be switched off; nobody may believe that they are.
        """
        ...


class Stage(Protocol):
    """The XY table under the glass. Its place is the place on the glass of the frame's first pixel."""

    name: str

    def ensure_ready(self) -> None:
        """Connect unless connected, clear an old alarm, home.

        Raises:
            DeviceError: It does not answer or cannot home.
        """
        ...

    def move_to(self, x_mm: float, y_mm: float, feed_mm_s: float | None = None) -> None:
        """Start a move; `feed_mm_s` is its speed, None the stage's fastest.

        Raises:
            DeviceError: Outside the soft limits, refused, or no answer.
        """
        ...

    def wait_for_idle(self) -> tuple[float, float]:
        """Wait until the move has ended and return where it ended, x and y in mm.

        Raises:
            DeviceError: An alarm, or still moving when its time is up.
        """
        ...

    def ensure_stopped(self) -> None:
        """Hold the motion and let go of the device."""
        ...


class Scene(Protocol):
    """A glass on the simulated rig: what its camera would see."""

    def expose(
        self, x_mm: float, y_mm: float, groups: Sequence[int], exposure_us: float, gain_db: float,
        size_px: tuple[int, int],
    ) -> Frame:  # fmt: skip
        """Return one 12-bit mosaic (H, W), with fresh noise.

        Args:
            x_mm: Where the stage is, x.
            y_mm: Where the stage is, y.
            groups: LED groups that are lit.
            exposure_us: Exposure.
            gain_db: Gain.
            size_px: Width and height of the region read out.
        """
        ...

"""Where a simulated line camera's frames begin: its lines follow the moving stage."""

import time
from collections.abc import Callable

from glassline.errors import DeviceError
from hardware_ingest.simulated_rig.bench import Bench

_POLL_S = 0.001


class Encoder:
    """Counts the lines that have passed under one camera."""

    def __init__(
        self, bench: Bench, frame_mm: float, offset_mm: tuple[float, float], timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        """Take the stage.

        Args:
            bench: The stage.
            frame_mm: Way of the lines of one frame.
            offset_mm: Place of the camera's first pixel minus the stage's.
            timeout_s: Longest wait for the lines of one frame.
            sleep: Waits seconds.
        """
        self._bench, self._frame_mm, self._offset_mm = bench, frame_mm, offset_mm
        self._timeout_s, self._sleep = timeout_s, sleep
        self._x_mm = self._next_mm = float("inf")

    def wait_for_lines(self) -> tuple[float, float]:
        """Wait until the lines of a frame have passed; return the place on the glass of its first pixel.

        Raises:
            DeviceError: The stage does not move on.
        """
        x_mm, y_mm = self._bench.where(self._offset_mm)
        # A stage that stands elsewhere or before the next line has gone there: a new strip begins where it stands.
        start_mm = min(self._next_mm, y_mm) if x_mm == self._x_mm else y_mm
        self._x_mm, self._next_mm = x_mm, start_mm + self._frame_mm
        waited_s = 0.0
        while self._bench.where(self._offset_mm)[1] < self._next_mm - 1e-6:
            if waited_s > self._timeout_s:
                self._next_mm = float("inf")
                raise DeviceError("the simulated camera must get its lines from the encoder, none came; move the stage")
            self._sleep(_POLL_S)
            waited_s += _POLL_S
        return x_mm, start_mm

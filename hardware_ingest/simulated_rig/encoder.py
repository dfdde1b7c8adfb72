"""A simulated line camera: its lines follow the moving stage."""

import time
from copy import copy

from glassline.errors import DeviceError
from hardware_ingest.camera.settings import CameraSettings
from hardware_ingest.camera.sim import SimCamera
from hardware_ingest.simulated_rig.bench import Bench

_POLL_S = 0.001


class Encoder:
    """Counts the lines that have passed under one camera since it was armed."""

    def __init__(self, bench: Bench, frame_mm: float, offset_mm: tuple[float, float], timeout_s: float) -> None:
        """Take the stage.

        Args:
            bench: The stage.
            frame_mm: Way of the lines of one frame.
            offset_mm: Place of the camera's first pixel minus the stage's.
            timeout_s: Longest wait for the lines of one frame.
        """
        self._bench, self._frame_mm, self._offset_mm, self._timeout_s = bench, frame_mm, offset_mm, timeout_s
        self._next_mm = 0.0

    def arm(self) -> None:
        """Count from where the stage is now."""
        self._next_mm = self._bench.where(self._offset_mm)[1]

    def wait_for_lines(self) -> tuple[float, float]:
        """Wait until the lines of the next frame have passed; return the place on the glass of its first pixel.

        Raises:
            DeviceError: The stage does not move on.
        """
        start_mm, self._next_mm = self._next_mm, self._next_mm + self._frame_mm
        waited_s = 0.0
        while self._bench.where(self._offset_mm)[1] < self._next_mm - 1e-6:
            if waited_s > self._timeout_s:
                raise DeviceError("the simulated camera must get its lines from the encoder, none came; move the stage")
            time.sleep(_POLL_S)
            waited_s += _POLL_S
        return self._bench.where(self._offset_mm)[0], start_mm


class SimLineCamera(SimCamera):
    """A line camera over a bench."""

    def __init__(self, settings: CameraSettings, bench: Bench, encoder: Encoder) -> None:
        """Put the camera over the bench; the encoder fires its lines."""
        super().__init__(settings, copy(bench.scene), encoder.wait_for_lines, lambda: bench.lit)
        self._encoder = encoder

    def start_acquiring(self) -> None:
        """Wait for lines from now on."""
        super().start_acquiring()
        self._encoder.arm()

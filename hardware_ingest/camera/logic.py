"""A triggered camera that never takes a frame for another one.

A frame is refused unless it is whole, the next in turn and, where the camera's clock is ours, exposed between its
trigger and the moment the lights were free to change. After anything but a half frame the stream is started afresh, so
that a frame under way cannot answer a later trigger.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from glassline.errors import DeviceError
from hardware_ingest.camera.checks import check_bits, check_exposure, check_turn, following
from hardware_ingest.camera.protocol import Arrival, CameraIO, Clock, StreamStatistics
from hardware_ingest.camera.settings import CameraSettings
from hardware_ingest.camera.setup import set_up, written
from hardware_ingest.devices import CameraInfo, Frame

#: On a busy computer the first frame may have passed before the receiving thread listens.
_FIRST_TRIES = 2


class WallClock:
    """This computer's time."""

    now_ns = staticmethod(time.time_ns)
    sleep = staticmethod(time.sleep)


class TriggeredCamera:
    """A `Camera` over any `CameraIO`."""

    def __init__(self, settings: CameraSettings, io: CameraIO, clock: Clock | None = None) -> None:
        """Take settings and wire; nothing is contacted yet."""
        self.name = settings.name
        self._settings = settings
        self._io = io
        self._clock = clock or WallClock()
        self._forget()

    def _forget(self) -> None:
        self._info: CameraInfo | None = None
        self._in_step = False  # the stream runs and no frame is under way
        self._early: Arrival | None = None  # a hardware-triggered frame that waits to be read
        self._exposure_us = 0.0
        self._last_id = 0
        self._fired_ns = self._free_ns = 0

    def ensure_ready(self) -> CameraInfo:
        """Connect unless connected, write the settings, read them back.

        Raises:
            DeviceError: It does not answer, or refuses a setting.
        """
        if self._info and not self._io.is_lost():
            return self._info
        self.ensure_stopped()
        with self._letting_go():
            model, serial = self._io.connect()
            set_up(self._io, self._settings)
        told = self._settings
        self._info = CameraInfo(model, serial, told.width_px, told.height_px, told.pattern, told.bit_depth)
        return self._info

    def start_acquiring(self) -> None:
        """Wait for triggers from now on.

        With a software trigger one frame is taken and thrown away: it shows that frames pass the network, and many
        cameras take the first one late.

        Raises:
            DeviceError: It does not answer, or no frame came.
        """
        self._must_be_ready()
        with self._letting_go():
            self._io.stop()
            self._io.start()
            self._last_id = 0
            if self._settings.by_software:
                self._take_first()
        self._in_step, self._early = True, None

    def trigger(self, exposure_us: float) -> None:
        """Start one exposure; returns once the exposure is over, while the frame still travels.

        After a software trigger the stated latency and the exposure are waited out. Nobody but the line knows when a
        hardware trigger comes, so there the whole frame is waited for.

        Args:
            exposure_us: Exposure.

        Raises:
            DeviceError: It does not answer, refuses the exposure, or a hardware trigger did not come.
        """
        self._must_be_ready()
        if not self._in_step:
            self.start_acquiring()
        with self._letting_go():
            if exposure_us != self._exposure_us:
                written(self._io, self._settings, "exposure_us", exposure_us)
                self._exposure_us = exposure_us
            self._in_step = False
            # A line camera's frames follow each other without a gap: one that is there already is the next one.
            if self._settings.by_software and (unasked := self._throw_away(wait_us=0)):
                raise DeviceError(
                    f"{self.name} must send one frame per trigger, got {unasked} more; look for a second trigger"
                )
            self._fired_ns = self._clock.now_ns()
            if self._settings.by_software:
                self._io.fire()
                self._clock.sleep((self._settings.trigger_latency_us + exposure_us) / 1e6)
        if not self._settings.by_software:
            self._early = self._next_arrival()
        self._free_ns = self._clock.now_ns()

    def read_frame(self) -> Frame:
        """Return the frame of the last trigger, (H, W), whole.

        Raises:
            DeviceError: It did not arrive in time, arrived in part, out of turn, or was exposed late.
        """
        self._must_be_ready()
        arrival, self._early = self._early or self._next_arrival(), None
        last_id = self._last_id
        if arrival.frame is None:
            # A frame that lost its first packet has lost its number too.
            self._last_id, self._in_step = following(last_id), True
            raise DeviceError(
                f"{self.name} must send whole frames, got half a frame ({arrival.fault}); try again, and check cable, "
                "packet_bytes and the network card's buffers if it stays"
            )
        self._last_id = arrival.frame_id
        check_turn(self.name, arrival.frame_id, last_id)
        self._in_step = True
        if self._settings.by_software:
            check_exposure(self._settings, arrival.started_ns, self._exposure_us, self._fired_ns, self._free_ns)
        check_bits(self._settings, arrival.frame)
        return arrival.frame

    def ensure_stopped(self) -> None:
        """Stop acquiring and let go of the device; never raises because it was stopped or unplugged."""
        self._io.close()
        self._forget()

    def statistics(self) -> StreamStatistics:
        """Return the counts of the stream since acquisition started."""
        return self._io.statistics()

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        """Let go of a camera that fails, so that the next `ensure_ready` connects afresh."""
        try:
            yield
        except DeviceError:
            self.ensure_stopped()
            raise

    def _must_be_ready(self) -> None:
        if not self._info:
            raise DeviceError(f"{self.name} must be made ready before it is used, got no connection; connect it again")

    def _take_first(self) -> None:
        """Take one frame, whole or not, and whatever else an earlier stream has left in the camera."""
        low_us, _ = self._io.bounds("exposure_us")
        self._exposure_us = written(self._io, self._settings, "exposure_us", low_us)
        for _ in range(_FIRST_TRIES):
            self._io.fire()
            if self._throw_away(self._settings.frame_timeout_ms * 1000):
                break
        else:
            raise DeviceError(
                f"{self.name} must send a frame within {self._settings.frame_timeout_ms:g} ms, none came after the "
                "start; let UDP through the firewall, or lower packet_bytes"
            )
        self._throw_away(2 * self._settings.trigger_latency_us)

    def _throw_away(self, wait_us: float) -> int:
        """Throw away what has arrived, waiting for the first; return how many frames that was."""
        thrown = 0
        while arrival := self._io.pop(wait_us):
            self._last_id = 0 if arrival.frame is None else arrival.frame_id
            wait_us, thrown = 0, thrown + 1
        return thrown

    def _next_arrival(self) -> Arrival:
        wait_us = self._settings.frame_timeout_ms * 1000 + self._exposure_us
        arrival = self._io.pop(wait_us)
        if arrival:
            return arrival
        if self._io.is_lost():
            self.ensure_stopped()
            raise DeviceError(f"{self.name} must stay connected, it is gone; check its cable and power")
        raise DeviceError(
            f"{self.name} must send a frame within {wait_us / 1000:g} ms, none came; check its trigger "
            f"({self._settings.trigger_source}) and cable, or raise frame_timeout_ms"
        )

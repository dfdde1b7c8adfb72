"""A camera in this process that looks at a scene, with the faults of a real one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from glassline.errors import DeviceError
from hardware_ingest.camera.logic import TriggeredCamera
from hardware_ingest.camera.protocol import Arrival, Choice, Feature, StreamStatistics
from hardware_ingest.camera.settings import CameraSettings
from hardware_ingest.devices import Frame, Scene

_SENSOR_PX = 4096

_BOUNDS: dict[Feature, tuple[float, float]] = {
    "x_px": (0, 0),  # the scene is what the region sees
    "y_px": (0, 0),
    "width_px": (1, _SENSOR_PX),
    "height_px": (1, _SENSOR_PX),
    "gain_db": (0, 48),
    "packet_bytes": (576, 65_500),
    "exposure_us": (10, 10e6),
}


class SimulatedClock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        """Start a while after 1970."""
        self._ns = 10**18

    def now_ns(self) -> int:
        """Return nanoseconds since 1970."""
        return self._ns

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._ns += round(seconds * 1e9)


@dataclass
class CameraFaults:
    """What goes wrong, by number of the exposure since the camera was made; may be changed while it is in use.

    The first exposure of a stream is the one that is thrown away, so with a software trigger the first frame of a
    session has number 1.
    """

    #: Exposures of which nothing arrives.
    silent: set[int] = field(default_factory=set)
    #: Exposures of which packets are lost.
    half: set[int] = field(default_factory=set)
    #: Exposures before which another frame slips in.
    doubled: set[int] = field(default_factory=set)
    #: Exposures that begin this many microseconds after the trigger.
    late_us: dict[int, float] = field(default_factory=dict)
    #: Exposures at which the cable comes out; it is put back at once.
    unplugged: set[int] = field(default_factory=set)
    #: Nobody answers.
    gone: bool = False


class SimulatedCameraIO:
    """A camera and its cable."""

    def __init__(
        self, see: Callable[[float, float, int, int], Frame], clock: SimulatedClock, faults: CameraFaults
    ) -> None:
        """Take what the camera sees: a function of exposure in us, gain in dB, width and height in px."""
        self.faults = faults
        self.exposures = 0
        self._see, self._clock = see, clock
        self._numbers: dict[Feature, float] = {}
        self._chosen: dict[Choice, str] = {}
        self._arrivals: list[Arrival] = []
        self._frame_id, self._lost, self._failures = 65_500, True, 0

    def connect(self) -> tuple[str, str]:
        """Answer, unless gone."""
        if self.faults.gone:
            raise DeviceError("the simulated camera must answer, nobody does; check its power and cable")
        self._lost = False
        return "simulated camera", "SIM-0"

    def bounds(self, feature: Feature) -> tuple[float, float]:
        """Return the least and the greatest value."""
        self._answer()
        return _BOUNDS[feature]

    def write(self, feature: Feature, value: float) -> float:
        """Write a number."""
        self._answer()
        self._numbers[feature] = value
        return value

    def choices(self, choice: Choice) -> list[str]:
        """Return what it offers."""
        self._answer()
        return ["Mono16", "BayerGR16"] if choice == "pixel_format" else ["Software", "Line0"]

    def choose(self, choice: Choice, value: str) -> str:
        """Write one of the choices."""
        self._answer()
        self._chosen[choice] = value
        return value

    def start(self) -> None:
        """Forget what was under way."""
        self._answer()
        self._arrivals.clear()
        self._failures = 0

    def fire(self) -> None:
        """Expose what is lit now."""
        self._shoot()

    def _shoot(self) -> None:
        number, self.exposures = self.exposures, self.exposures + 1
        if number in self.faults.unplugged:
            self._lost = True
        self._answer()
        for _ in range(2 if number in self.faults.doubled else 1):
            self._expose(number)

    def _expose(self, number: int) -> None:
        self._frame_id = self._frame_id % 65_535 + 1
        told = self._numbers
        started_ns = self._clock.now_ns() + round(self.faults.late_us.get(number, 0) * 1000)
        frame_HW = self._see(told["exposure_us"], told["gain_db"], int(told["width_px"]), int(told["height_px"]))
        if number in self.faults.half:
            self._failures += 1
            self._arrivals.append(Arrival(0, None, "missing packets", started_ns))
        elif number not in self.faults.silent:
            self._arrivals.append(Arrival(self._frame_id, np.asarray(frame_HW, np.uint16), "", started_ns))

    def pop(self, timeout_us: float) -> Arrival | None:
        """Return the oldest arrival; a hardware line fires whenever somebody waits for it."""
        if timeout_us and not self._arrivals and not self._lost and self._chosen["trigger_source"] != "Software":
            self._shoot()
        if self._arrivals and not self._lost:
            return self._arrivals.pop(0)
        self._clock.sleep(timeout_us / 1e6)
        return None

    def is_lost(self) -> bool:
        """Return whether the camera is gone."""
        return self._lost or self.faults.gone

    def statistics(self) -> StreamStatistics:
        """Return the counts of the stream."""
        return StreamStatistics(self.exposures, self._failures, 0, self._failures, 0, 0)

    def stop(self) -> None:
        """Forget what was under way."""
        self._arrivals.clear()

    def close(self) -> None:
        """Let go."""
        self._arrivals.clear()
        self._lost = True

    def _answer(self) -> None:
        if self.is_lost():
            raise DeviceError("the simulated camera must answer, it is gone; check its power and cable")


class SimCamera(TriggeredCamera):
    """A camera that looks at a scene from where the stage is, under the lights that are lit."""

    def __init__(
        self, settings: CameraSettings, scene: Scene, where: Callable[[], tuple[float, float]],
        lit: Callable[[], Sequence[int]], faults: CameraFaults | None = None,
    ) -> None:  # fmt: skip
        """Put the camera over the scene.

        Args:
            settings: Settings; latency and time-outs pass in simulated time.
            scene: What lies under the camera.
            where: Returns the place on the glass of the frame's first pixel, x and y in mm.
            lit: Returns the LED groups that shine.
            faults: What goes wrong; nothing by default.
        """

        def see(exposure_us: float, gain_db: float, width_px: int, height_px: int) -> Frame:
            return scene.expose(*where(), lit(), exposure_us, gain_db, (width_px, height_px))

        self.faults = faults or CameraFaults()
        clock = SimulatedClock()
        super().__init__(settings, SimulatedCameraIO(see, clock, self.faults), clock)

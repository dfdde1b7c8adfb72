"""What the camera's logic asks of the wire, real or simulated."""

from dataclasses import dataclass
from typing import Literal, Protocol

from hardware_ingest.devices import Frame

#: Settings that are numbers: written, then read back.
Feature = Literal["x_px", "y_px", "width_px", "height_px", "gain_db", "packet_bytes", "exposure_us"]

#: Settings that are one of a list.
Choice = Literal["pixel_format", "trigger_source"]


@dataclass(frozen=True)
class Arrival:
    """What came of one exposure."""

    frame_id: int  #: its number on the wire; means nothing unless the frame is whole
    frame: Frame | None  #: (H, W), its own memory; None unless every byte arrived
    fault: str  #: why there is no frame
    started_ns: int  #: when the exposure began, by the camera's clock


@dataclass(frozen=True)
class StreamStatistics:
    """Counts since acquisition started."""

    frames: int
    failures: int
    underruns: int
    missing_packets: int
    resend_requests: int
    resent_packets: int


class CameraIO(Protocol):
    """One camera on the wire. Every method raises DeviceError where the camera does not answer."""

    def connect(self) -> tuple[str, str]:
        """Take control of the camera and return its model and serial number."""
        ...

    def bounds(self, feature: Feature) -> tuple[float, float]:
        """Return the least and the greatest value that the camera accepts now."""
        ...

    def write(self, feature: Feature, value: float) -> float:
        """Write a number and return what the camera reads back."""
        ...

    def choices(self, choice: Choice) -> list[str]:
        """Return what the camera offers."""
        ...

    def choose(self, choice: Choice, value: str) -> str:
        """Write one of the choices and return what the camera reads back."""
        ...

    def start(self) -> None:
        """Start a fresh stream: no frame of an earlier one can arrive in it."""
        ...

    def fire(self) -> None:
        """Send the software trigger; returns once the camera has acknowledged it."""
        ...

    def pop(self, timeout_us: float) -> Arrival | None:
        """Return the oldest arrival, None when none came in time."""
        ...

    def is_lost(self) -> bool:
        """Return whether the camera is known to be gone."""
        ...

    def statistics(self) -> StreamStatistics:
        """Return the counts of the stream."""
        ...

    def stop(self) -> None:
        """Stop the stream."""
        ...

    def close(self) -> None:
        """Let go of the camera; never raises."""
        ...


class Clock(Protocol):
    """Wall time, or a simulated one."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

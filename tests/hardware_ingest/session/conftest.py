"""A small rig in this process: every fault can be set on it, and nothing waits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from glassline.errors import DeviceError
from hardware_ingest.devices import CameraInfo
from hardware_ingest.illuminator.logic import LedRing
from hardware_ingest.rig.build import Rig
from hardware_ingest.rig.settings import RigSettings
from hardware_ingest.session.record import Job
from hardware_ingest.session.session import capture_glass
from hardware_ingest.simulated_rig.bench import Bench
from hardware_ingest.stage.logic import GrblStage
from hardware_ingest.stage.sim import SimulatedLine

EDGE_PX = 32


class PlainGlass:
    """A glass that scatters evenly: 64 in the dark, 10 more for each lit group at 1000 us; its place in one pixel."""

    stray = 0

    def expose(self, x_mm, y_mm, groups, exposure_us, gain_db, size_px):
        level = 64 + self.stray + 10 * len(groups) * exposure_us / 1000
        frame_HW = np.full(size_px[::-1], level, np.uint16)
        frame_HW[0, 0] = round(x_mm * 100)
        frame_HW[0, 1] = sum(groups)
        return frame_HW


@dataclass
class FakeCamera:
    """Sees the bench; fails in the frames that it is told to."""

    bench: Bench
    name: str = "fake camera"
    offset_mm: tuple[float, float] = (0.0, 0.0)
    #: What happens at which frame, counted from the first: "timeout", "half", "unplugged".
    faults: dict[int, str] = field(default_factory=dict)
    unplugged: bool = False
    acquiring: bool = False
    frames: int = 0
    log: list[str] = field(default_factory=list)
    _seen: np.ndarray | None = None

    def ensure_ready(self):
        self._check_plugged()
        return CameraInfo("Fake", "F0", EDGE_PX, EDGE_PX, "GRBG", 12)

    def start_acquiring(self):
        self.acquiring = True

    def trigger(self, exposure_us):
        self._check_plugged()
        self.log.append("exposed")
        glass, place_mm = self.bench.scene, self.bench.where(self.offset_mm)
        self._seen = glass.expose(*place_mm, self.bench.lit, exposure_us, 0.0, (EDGE_PX, EDGE_PX))

    def read_frame(self):
        fault = self.faults.get(self.frames)
        self.frames += 1
        self.unplugged |= fault == "unplugged"
        self._check_plugged()
        if fault:
            raise DeviceError(f"{self.name} must send whole frames in time, got {fault}; check its cable")
        self.log.append("read")
        return self._seen

    def ensure_stopped(self):
        self.acquiring = False

    def _check_plugged(self):
        if self.unplugged:
            raise DeviceError(f"{self.name} must answer, it does not; plug it in")


class SmallRig:
    """Three zones in a row, six light states, and a folder for the captures."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.settings = RigSettings.parse(
            {
                "grid": {"columns": 3, "rows": 1, "width_px": EDGE_PX, "height_px": EDGE_PX, "overlap_px": 8},
                "light_states": [{"azimuth_deg": 30 * state, "exposure_us": 1000} for state in range(6)],
                "lights_check": {"exposure_us": 1000, "dark_max": 70},
                "settle_ms": 0, "retry_wait_s": 0, "frame_retries": 0,
                "stage": {"feed_mm_s": 5000, "poll_ms": 0.01, "answer_timeout_s": 0.1},
                **settings,
            }
        )  # fmt: skip
        self.bench = Bench(PlainGlass(), self.settings.stage)
        self.line = SimulatedLine(self.bench.machine)
        self.cameras = [
            FakeCamera(self.bench, f"fake camera {n}", camera.offset_mm)
            for n, camera in enumerate(self.settings.cameras)
        ]
        self.told: list[object] = []

    @property
    def camera(self) -> FakeCamera:
        return self.cameras[0]

    def rig(self) -> Rig:
        ring = LedRing(self.bench.coils, settle_ms=0)
        return Rig(self.settings, tuple(self.cameras), ring, GrblStage(self.line, self.settings.stage))

    def capture(self, **job: str):
        told = Job(**{"glass": "G0001", "kind": "clean", "product": "P", "cycle": "1", **job})
        return capture_glass(self.rig(), told, self.folder, self.told.append)

    @property
    def is_safe(self) -> bool:
        """Lights off, stage still, no camera acquiring."""
        still = self.bench.machine.state in ("Idle", "Hold:0", "Alarm")
        return self.bench.coils.lit == () and still and not any(camera.acquiring for camera in self.cameras)


@pytest.fixture
def small_rig(tmp_path: Path) -> Callable[..., SmallRig]:
    """Make a small rig: small_rig(retries=0)."""
    return lambda **settings: SmallRig(tmp_path, **settings)

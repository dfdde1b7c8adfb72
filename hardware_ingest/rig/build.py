"""Devices from settings: real ones by their addresses, simulated ones around one bench."""

from copy import copy
from dataclasses import dataclass

from glassline.errors import SettingsError
from hardware_ingest.camera.build import build_camera
from hardware_ingest.camera.sim import SimCamera
from hardware_ingest.devices import Camera, Illuminator, Stage
from hardware_ingest.illuminator.io import ModbusCoils
from hardware_ingest.illuminator.logic import LedRing
from hardware_ingest.rig.settings import RigSettings
from hardware_ingest.simulated_rig.bench import Bench
from hardware_ingest.simulated_rig.encoder import Encoder, SimLineCamera
from hardware_ingest.stage.io import SerialLine
from hardware_ingest.stage.logic import GrblStage
from hardware_ingest.stage.sim import SimulatedLine


@dataclass(frozen=True)
class Rig:
    """The devices of a rig; none is contacted before it is made ready."""

    settings: RigSettings
    cameras: tuple[Camera, ...]
    illuminator: Illuminator
    stage: Stage


def needs_bench(settings: RigSettings) -> bool:
    """Return whether the devices are simulated in this process: all are, or none."""
    return settings.stage.kind == "simulated"


def build_rig(settings: RigSettings, bench: Bench | None = None) -> Rig:
    """Return the devices of a rig.

    Args:
        settings: The rig.
        bench: What its simulated devices stand on; None when it has none.

    Raises:
        SettingsError: It has simulated devices and no bench.
    """
    numbers, settle_ms = range(len(settings.cameras)), settings.illuminator.settle_ms
    if not needs_bench(settings):
        cameras = tuple(build_camera(settings.camera(number)) for number in numbers)
        ring = LedRing(ModbusCoils(settings.illuminator), settle_ms)
        return Rig(settings, cameras, ring, GrblStage(SerialLine(settings.stage), settings.stage))
    if bench is None:
        raise SettingsError(
            "a rig with simulated devices needs a simulated glass, got none; set the kind of every device to a real one"
        )
    simulated = tuple(_simulated_camera(settings, number, bench) for number in numbers)
    stage = GrblStage(SimulatedLine(bench.machine), settings.stage)
    return Rig(settings, simulated, LedRing(bench.coils, settle_ms), stage)


def _simulated_camera(settings: RigSettings, number: int, bench: Bench) -> Camera:
    offset_mm, camera = settings.cameras[number].offset_mm, settings.camera(number)
    if settings.scan == "line":
        frame_mm = settings.grid.height_px * settings.grid.pitch_um / 1000
        return SimLineCamera(camera, bench, Encoder(bench, frame_mm, offset_mm, camera.frame_timeout_ms / 1000))
    # A scene remembers where it is looked at: every camera, in a thread of its own, looks at one of its own.
    return SimCamera(camera, copy(bench.scene), lambda: bench.where(offset_mm), lambda: bench.lit)

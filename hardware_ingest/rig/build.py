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
    """Return whether any device is simulated in this process."""
    kinds = [settings.illuminator.kind, settings.stage.kind, *(camera.kind for camera in settings.cameras)]
    return "simulated" in kinds


def build_rig(settings: RigSettings, bench: Bench | None = None) -> Rig:
    """Return the devices of a rig.

    Args:
        settings: The rig.
        bench: What its simulated devices stand on; None when it has none.

    Raises:
        SettingsError: It has simulated devices and no bench.
    """
    if bench is None and needs_bench(settings):
        raise SettingsError(
            "a rig with simulated devices needs a simulated glass, got none; set the kind of every device to a real one"
        )
    coils = ModbusCoils(settings.illuminator) if bench is None or settings.illuminator.kind == "modbus" else bench.coils
    line = (
        SerialLine(settings.stage) if bench is None or settings.stage.kind == "grbl" else SimulatedLine(bench.machine)
    )
    cameras = tuple(_camera(settings, number, bench) for number in range(len(settings.cameras)))
    return Rig(settings, cameras, LedRing(coils, settings.illuminator.settle_ms), GrblStage(line, settings.stage))


def _camera(settings: RigSettings, number: int, bench: Bench | None) -> Camera:
    told, camera = settings.cameras[number], settings.camera(number)
    if told.kind == "genicam":
        return build_camera(camera)
    assert bench is not None
    if settings.scan == "line":
        frame_mm = settings.grid.height_px * settings.grid.pitch_um / 1000
        encoder = Encoder(bench, frame_mm, told.offset_mm, camera.frame_timeout_ms / 1000)
        return SimLineCamera(camera, bench, encoder)
    # A scene remembers where it is looked at: every camera, in a thread of its own, looks at one of its own.
    return SimCamera(camera, copy(bench.scene), lambda: bench.where(told.offset_mm), lambda: bench.lit)

"""Devices from settings: real ones by their addresses, simulated ones around one bench."""

from dataclasses import dataclass

from hardware_ingest.devices import Camera, Illuminator, Stage
from hardware_ingest.rig.settings import RigSettings


@dataclass(frozen=True)
class Rig:
    """The devices of a rig; none is contacted before it is made ready."""

    settings: RigSettings
    cameras: tuple[Camera, ...]
    illuminator: Illuminator
    stage: Stage

"""Simulated glasses for the simulated rig, and the settings of that rig."""

import re
import zlib

from glassline.data.captures.meta import Kind
from glassline.errors import SettingsError
from hardware_ingest.dark_field.scene import SceneSettings, make_scene
from hardware_ingest.dark_field.sensor import BLACK_DN
from hardware_ingest.dark_field.settings import EXPOSURE_US, difficulty_of
from hardware_ingest.devices import AZIMUTHS_DEG, Scene
from hardware_ingest.illuminator.settings import LightsCheckSettings
from hardware_ingest.line_scan import scene as line_scan
from hardware_ingest.rig.settings import LightState, RigCamera, RigSettings
from hardware_ingest.zones import ZoneGrid


def simulated_rig(grid: ZoneGrid, difficulty: str) -> RigSettings:
    """Return the simulated dark-field rig, whose pixel pitch is the preset's.

    Args:
        grid: Zones of a glass.
        difficulty: Name of a preset of simulated glass.

    Raises:
        SettingsError: There is no such preset.
    """
    preset = difficulty_of(difficulty)
    states = tuple(LightState(azimuth_deg=azimuth, exposure_us=EXPOSURE_US) for azimuth in AZIMUTHS_DEG)
    return RigSettings(
        grid=grid.model_copy(update={"pitch_um": preset.pitch_um}),
        light_states=states,
        cameras=(RigCamera(name="simulated camera", mosaic="GRBG", significant_bits=12),),
        lights_check=LightsCheckSettings(dark_max=BLACK_DN + 5.0, rise_min=1.5),
    )


def simulated_line_rig() -> RigSettings:
    """Return the simulated line-scan rig: mono, one light state, lines fired by the encoder."""
    return RigSettings(
        scan="line",
        grid=line_scan.line_scan_grid(),
        light_states=(LightState(azimuth_deg=0.0, exposure_us=line_scan.EXPOSURE_US),),
        line_us=line_scan.EXPOSURE_US,
        cameras=(RigCamera(name="simulated line camera", significant_bits=12, trigger_source="Line0"),),
        lights_check=LightsCheckSettings(dark_max=16 * line_scan.BLACK + 10, rise_min=20.0),
    )


class Glasses:
    """The glasses of one seed, to put on the stage by their ids."""

    def __init__(self, rig: RigSettings, difficulty: str, seed: int) -> None:
        """Remember what they are like.

        Args:
            rig: The rig that sees them.
            difficulty: Name of a preset; dark-field rigs only.
            seed: Seed of all glasses, >= 0.
        """
        self._rig, self._difficulty, self._seed = rig, difficulty, seed

    def scene(self, glass: str, kind: Kind) -> Scene:
        """Return a glass as it leaves the washer, or after the inspector's pen.

        Args:
            glass: Its id; one that ends in a number, such as G0007, is the glass of that number.
            kind: Clean or marked.

        Raises:
            SettingsError: There is no such preset, or a line-scan rig is to see pen marks.
        """
        digits = re.search(r"\d{1,9}$", glass)
        number = int(digits[0]) if digits else zlib.crc32(glass.encode())
        if self._rig.scan == "area":
            return make_scene(
                SceneSettings(
                    seed=self._seed, glass=number, kind=kind, difficulty=self._difficulty, grid=self._rig.grid
                )
            )
        if kind != "clean":
            raise SettingsError(f"the simulated line-scan rig sees clean glass only, got {kind}; leave --kind out")
        return line_scan.LineScanScene(line_scan.LineSceneSettings(seed=self._seed, glass=number))

"""What a rig is: devices and their places, the grid of zones, the light states. One YAML file."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from glassline.errors import SettingsError
from glassline.settings import Settings
from hardware_ingest.camera.settings import CameraSettings
from hardware_ingest.devices import AZIMUTHS_DEG, LIGHT_STATES
from hardware_ingest.illuminator.settings import IlluminatorSettings, LightsCheckSettings
from hardware_ingest.stage.settings import StageSettings
from hardware_ingest.zones import ZoneGrid, demo_grid

#: What of a camera decides its pictures, beside the grid and the gain.
_SEEN_OF_A_CAMERA = {"pixel_format", "mosaic", "significant_bits", "x_px", "y_px", "offset_mm"}


class LightState(Settings):
    """One frame of a zone: two opposite LED groups, and how long they are looked at."""

    azimuth_deg: float = Field(description="0, 30, ... 150; the opposite group is lit too")
    exposure_us: float = Field(8000.0, gt=0, description="exposure")

    @model_validator(mode="after")
    def _is_a_pair(self) -> "LightState":
        if self.azimuth_deg not in AZIMUTHS_DEG:
            raise ValueError(
                f"azimuth_deg must be one of {', '.join(f'{azimuth:g}' for azimuth in AZIMUTHS_DEG)}, got "
                f"{self.azimuth_deg:g}; the other half of the ring belongs to the same states"
            )
        return self

    @property
    def groups(self) -> tuple[int, int]:
        """Its two LED groups."""
        first = AZIMUTHS_DEG.index(self.azimuth_deg)
        return first, first + LIGHT_STATES


class RigCamera(CameraSettings):
    """One camera: which, and where it looks. Its frames are as large as the grid's zones."""

    kind: Literal["simulated", "genicam"] = Field("simulated", description="in this process, or a GenICam camera")
    offset_mm: tuple[float, float] = Field(
        (0.0, 0.0), description="place on the glass of its first pixel minus that of the stage"
    )
    shortest_line_us: float = Field(10.0, gt=0, description="shortest time of a line; line scan only")


class RigSettings(Settings):
    """A rig."""

    scan: Literal["area", "line"] = Field("area", description="frame by frame, or line by line under a moving glass")
    grid: ZoneGrid = Field(default_factory=demo_grid, description="zones of a glass")
    light_states: tuple[LightState, ...] = Field(
        tuple(LightState(azimuth_deg=azimuth) for azimuth in AZIMUTHS_DEG),
        min_length=1,
        description="light states in the order of capture",
    )
    gain_db: float = Field(0.0, ge=0, le=48, description="gain of the cameras")
    line_us: float = Field(100.0, gt=0, description="time of a line; line scan only")
    settle_ms: float = Field(20.0, ge=0, le=10_000, description="from a stage that reports idle to a still glass")
    frame_retries: int = Field(2, ge=0, le=1000, description="further tries of a frame that came broken; not line scan")
    retries: int = Field(2, ge=0, le=100, description="further tries of a zone after a device failed")
    retry_wait_s: float = Field(1.0, ge=0, le=600, description="before each of them")
    cameras: tuple[RigCamera, ...] = Field((RigCamera(),), min_length=1, description="cameras over the stage")
    illuminator: IlluminatorSettings = Field(default_factory=IlluminatorSettings)
    lights_check: LightsCheckSettings = Field(default_factory=LightsCheckSettings)
    stage: StageSettings = Field(default_factory=StageSettings)

    @model_validator(mode="after")
    def _said_once(self) -> "RigSettings":
        for camera in self.cameras:
            if twice := camera.model_fields_set & {"width_px", "height_px", "gain_db"}:
                raise ValueError(
                    f"cameras must not set {', '.join(sorted(twice))}, got it for {camera.name!r}; set grid.width_px, "
                    "grid.height_px and gain_db, which hold for all"
                )
        return self

    @model_validator(mode="after")
    def _real_or_simulated(self) -> "RigSettings":
        kinds = {
            "illuminator": self.illuminator.kind, "stage": self.stage.kind,
            **{f"cameras.{number}": camera.kind for number, camera in enumerate(self.cameras)},
        }  # fmt: skip
        simulated = [name for name, kind in kinds.items() if kind == "simulated"]
        if 0 < len(simulated) < len(kinds):
            raise ValueError(
                f"the devices of a rig must be all real or all simulated, got {', '.join(simulated)} simulated beside "
                "real ones; set their kind"
            )
        return self

    @model_validator(mode="after")
    def _lines_follow_the_belt(self) -> "RigSettings":
        if self.scan == "area":
            return self
        if len(self.light_states) != 1:
            raise ValueError(
                f"light_states must be one for a line scan, got {len(self.light_states)}; the glass does not stop"
            )
        exposure_us, frame_ms = self.light_states[0].exposure_us, self.grid.height_px * self.line_us / 1000
        for number, camera in enumerate(self.cameras):
            if self.line_us < camera.shortest_line_us:
                raise ValueError(
                    f"line_us must be >= {camera.shortest_line_us:g} us for this camera, got {self.line_us:g}; slow "
                    "the belt or raise line_us"
                )
            if camera.by_software or self.camera(number).pattern != "mono":
                raise ValueError(
                    f"a camera of a line scan must be mono and fired by the encoder, got {camera.pattern} by "
                    f"{camera.trigger_source}; set trigger_source to its line, such as Line0, and leave mosaic out"
                )
            if camera.frame_timeout_ms <= frame_ms:
                raise ValueError(
                    f"frame_timeout_ms must be > {frame_ms:g} ms for {self.grid.height_px} lines, got "
                    f"{camera.frame_timeout_ms:g}; raise it or lower grid.height_px"
                )
        if exposure_us > self.line_us:
            raise ValueError(
                f"exposure_us must be <= line_us = {self.line_us:g}, got {exposure_us:g}; lower it or slow the belt"
            )
        return self

    @property
    def line_feed_mm_s(self) -> float:
        """Speed at which the glass moves on by one pixel a line."""
        return 1000 * self.grid.pitch_um / self.line_us

    def camera(self, number: int) -> CameraSettings:
        """Return the settings of a camera, with the grid's size of a frame and the rig's gain."""
        told = self.cameras[number].model_dump(include=set(CameraSettings.model_fields))
        if [camera.name for camera in self.cameras].count(told["name"]) > 1:
            told["name"] = f"{told['name']} {number}"
        size = {"width_px": self.grid.width_px, "height_px": self.grid.height_px, "gain_db": self.gain_db}
        return CameraSettings(**{**told, **size})

    def seen(self) -> dict[str, Any]:
        """Return what decides the pictures, and must not change within a glass."""
        picture = self.model_dump(mode="json", include={"scan", "grid", "light_states", "gain_db", "line_us"})
        cameras = [camera.model_dump(mode="json", include=_SEEN_OF_A_CAMERA) for camera in self.cameras]
        return {**picture, "cameras": cameras, "origin_mm": list(self.stage.origin_mm)}


def read_rig(path: str | Path) -> RigSettings:
    """Read a rig's file.

    Raises:
        SettingsError: It is missing, no YAML mapping, or a setting breaks a rule.
    """
    try:
        content = yaml.safe_load(Path(path).read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise SettingsError(f"--rig must be a YAML file that can be read, got {path} ({told}); mend it") from None
    if content is not None and not isinstance(content, dict):
        raise SettingsError(f"--rig must hold settings with names, got {type(content).__name__} in {path}; mend it")
    return RigSettings.parse(content)

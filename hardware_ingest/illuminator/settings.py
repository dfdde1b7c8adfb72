"""Where the ring of LED groups is, and how its frames tell that every group does as told."""

from typing import Literal

from pydantic import Field

from glassline.settings import Settings


class IlluminatorSettings(Settings):
    """The ring: one Modbus coil per LED group, in order of azimuth."""

    kind: Literal["simulated", "modbus"] = Field("simulated", description="in this process, or Modbus/TCP")
    host: str = Field("127.0.0.1", min_length=1, description="address of the Modbus/TCP device")
    port: int = Field(502, ge=1, le=65535, description="its TCP port")
    device_id: int = Field(1, ge=0, le=247, description="Modbus device id")
    first_coil: int = Field(0, ge=0, le=65523, description="coil of group 0; the other eleven follow")
    settle_ms: float = Field(2.0, ge=0, le=10_000, description="from the switch to steady light")
    timeout_s: float = Field(1.0, gt=0, le=60, description="longest wait for one answer")


class LightsCheckSettings(Settings):
    """The check before a session: all groups off, then each group alone; means of the darker half of a frame."""

    exposure_us: float = Field(20_000, gt=0, description="exposure of every frame of the check")
    dark_max: float = Field(80.0, gt=0, description="highest grey level with all groups off; more is stray light")
    rise_min: float = Field(4.0, gt=0, description="lowest rise over dark when a group is lit alone")
    rise_min_ratio: float = Field(0.3, gt=0, lt=1, description="lowest rise of a group over the median group's")

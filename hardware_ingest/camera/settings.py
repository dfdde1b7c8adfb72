"""What a camera is told before it sees anything."""

from typing import Literal

from pydantic import Field, model_validator

from glassline.data.captures.meta import Pattern
from glassline.settings import Settings

PixelFormat = Literal[
    "Mono8", "Mono10", "Mono12", "Mono16",
    "BayerGR8", "BayerRG8", "BayerGB8", "BayerBG8",
    "BayerGR10", "BayerRG10", "BayerGB10", "BayerBG10",
    "BayerGR12", "BayerRG12", "BayerGB12", "BayerBG12",
    "BayerGR16", "BayerRG16", "BayerGB16", "BayerBG16",
]  # fmt: skip

_PATTERNS: dict[str, Pattern] = {"GR": "GRBG", "RG": "RGGB", "GB": "GBRG", "BG": "BGGR"}


class CameraSettings(Settings):
    """Settings of one camera; exposure is the session's, per light state."""

    name: str = Field("camera", min_length=1, description="name in messages")
    device: str = Field("127.0.0.1", min_length=1, description="IP address, serial number, or Aravis device id")
    pixel_format: PixelFormat = Field("Mono16", description="pixel format sent; unpacked")
    mosaic: Pattern | None = Field(None, description="colour filter, where a mosaic is sent as mono")
    significant_bits: int | None = Field(None, ge=8, le=16, description="bits used, where they are fewer than sent")
    x_px: int = Field(0, ge=0, description="first column read out")
    y_px: int = Field(0, ge=0, description="first row read out")
    width_px: int = Field(3504, ge=1, description="columns read out")
    height_px: int = Field(3120, ge=1, description="rows read out")
    gain_db: float = Field(0.0, ge=0, le=48, description="gain")
    packet_bytes: int = Field(
        1400, ge=576, le=65_500, description="size of a stream packet; 1400 passes any network, 8000 needs jumbo frames"
    )
    trigger_source: str = Field(
        "Software", pattern=r"^(Software|Line\d+)$", description="Software, or the hardware line that fires the shutter"
    )
    trigger_latency_us: float = Field(
        1000.0, ge=0, le=1e6, description="longest time from an acknowledged software trigger to the shutter opening"
    )
    clock_synchronised: bool = Field(
        False, description="the camera stamps frames with this computer's clock (PTP): late exposures are refused"
    )
    frame_timeout_ms: float = Field(2000.0, gt=0, le=60_000, description="longest wait for a whole frame")
    buffers: int = Field(4, ge=2, le=64, description="frames that the stream may hold")

    @model_validator(mode="after")
    def _bits_fit(self) -> "CameraSettings":
        if self.mosaic and not self.pixel_format.startswith("Mono"):
            raise ValueError(
                f"mosaic is only for a mosaic sent as mono, got {self.mosaic} with {self.pixel_format}; leave it out"
            )
        if self.significant_bits and self.significant_bits > self._bits_sent:
            raise ValueError(
                f"significant_bits must be <= {self._bits_sent} for {self.pixel_format}, got {self.significant_bits}; "
                "lower it or choose a deeper pixel format"
            )
        return self

    @property
    def _bits_sent(self) -> int:
        return int(self.pixel_format.removeprefix("Mono").removeprefix("Bayer").lstrip("GRB"))

    @property
    def pattern(self) -> Pattern:
        """The colour filter: stated, or the pixel format's."""
        if self.pixel_format.startswith("Mono"):
            return self.mosaic or "mono"
        return _PATTERNS[self.pixel_format[5:7]]

    @property
    def bit_depth(self) -> int:
        """Significant bits of a pixel: stated, or the pixel format's."""
        return self.significant_bits or self._bits_sent

    @property
    def bytes_per_px(self) -> int:
        """Bytes of a pixel as it travels."""
        return 1 if self._bits_sent == 8 else 2

    @property
    def by_software(self) -> bool:
        """Whether this computer fires the shutter."""
        return self.trigger_source == "Software"


def loopback_camera(
    device: str = "127.0.0.1", width_px: int = 1024, height_px: int = 1024, name: str = "camera"
) -> CameraSettings:
    """Return settings for the simulated GigE Vision device: a 12-bit GRBG mosaic sent as Mono16.

    Its shutter opens at the next tick of 5 ms; the rest of the latency is for a busy computer, and a frame that was
    late all the same is refused.

    Args:
        device: IP address or serial number.
        width_px: Width, at most 2048 px.
        height_px: Height, at most 2048 px.
        name: Name in messages.
    """
    return CameraSettings(
        name=name, device=device, pixel_format="Mono16", mosaic="GRBG", significant_bits=12,
        width_px=width_px, height_px=height_px, packet_bytes=8000, trigger_latency_us=20_000, clock_synchronised=True,
    )  # fmt: skip

"""What the inspector says of a glass: `verdict.json`."""

from typing import Literal

from pydantic import AwareDatetime, Field

from glassline.data.captures.meta import ZoneMeta
from glassline.settings import Settings
from glassline.vision.scratches import FindSettings, Scratch

FORMAT_VERSION = 1

#: `refused`: it was not, or not wholly, looked at; never taken for good.
Outcome = Literal["good", "defective", "refused"]


class FoundScratch(Settings):
    """One scratch, in its zone and on the glass."""

    bbox_px: tuple[int, int, int, int] = Field(description="x, y, width, height in px of the zone")
    x_mm: float = Field(description="place of the box's middle on the glass, along the zones' rows")
    y_mm: float = Field(description="the same along their columns")
    peak: float = Field(description="highest score, 0 to 1")
    length_um: float = Field(description="length along the scratch")
    width_um: float = Field(description="area over length")
    area_um2: float = Field(description="area")
    contrast_sigma: float = Field(description="brightness above the background, in sigmas of the noise")
    direction_deg: float = Field(description="direction of the long axis, from x towards y, 0 to 180")

    @classmethod
    def of(cls, scratch: Scratch, meta: ZoneMeta) -> "FoundScratch":
        """Return a scratch with its place on the glass."""
        x, y, width, height = scratch.bbox_px
        return cls(
            bbox_px=scratch.bbox_px, x_mm=meta.stage_x_mm + (x + width / 2) * meta.pitch_um / 1000,
            y_mm=meta.stage_y_mm + (y + height / 2) * meta.pitch_um / 1000, peak=scratch.peak,
            length_um=scratch.length_um, width_um=scratch.width_um, area_um2=scratch.area_um2,
            contrast_sigma=scratch.contrast_sigma, direction_deg=scratch.direction_deg,
        )  # fmt: skip


class ZoneVerdict(Settings):
    """One zone."""

    zone: int = Field(description="index on the glass")
    verdict: Outcome = Field(description="good, defective or refused")
    reason: str = Field("", description="why it is refused")
    scratches: tuple[FoundScratch, ...] = Field((), description="what makes it defective, the likeliest first")
    overlay: str = Field("", description="picture beside this file, where there are scratches")


class Verdict(Settings):
    """One glass."""

    format_version: int = Field(FORMAT_VERSION, description="layout of this file")
    glass: str = Field(description="glass id")
    product: str = Field(description="product name, '' where no zone tells it")
    cycle: str = Field(description="product cycle, '' where no zone tells it")
    inspected_utc: AwareDatetime = Field(description="when")
    model: str = Field(description="name of the network")
    bundle_sha256: str = Field(description="hash of the bundle, its editable thresholds excepted")
    runtime: str = Field(description="what ran the network: openvino or onnxruntime")
    precision: str = Field(description="its arithmetic: bf16 may disagree with f32 at the threshold")
    thresholds: FindSettings = Field(description="thresholds that were applied")
    verdict: Outcome = Field(description="refused when a zone is; else defective when a zone is; else good")
    reason: str = Field("", description="why it is refused")
    zones: tuple[ZoneVerdict, ...] = Field(description="every zone")
    seconds: float = Field(description="from the first read to here")

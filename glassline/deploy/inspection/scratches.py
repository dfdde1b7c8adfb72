"""Inspect glasses with a segmentation network: system C.

Shapes: S light states x H x W pixels.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, Frames
from glassline.deploy.bundle import Bundle
from glassline.deploy.inspection.lines import Found, Image, Judged, Outcome, Picture, ZoneOutcome
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.units import GlassUnit, Unit, unfinished_reason
from glassline.deploy.segmenter import Segmenter
from glassline.errors import DataError, StorageError
from glassline.vision.bayer import grey_of_states
from glassline.vision.exposure import check_exposed
from glassline.vision.scratches import Scratch, find_scratches

Read = tuple[ZoneMeta, Frames] | DataError | StorageError

# Share of the pixels that are black and white on a picture: single specks would leave the rest dark.
_SHOWN = (1.0, 99.8)


class FoundScratch(Found):
    """One scratch, in its zone and on the glass."""

    zone: int = Field(description="index of the zone on the glass")
    x_mm: float = Field(description="place of the box's middle on the glass, along the zones' rows")
    y_mm: float = Field(description="the same along their columns")
    peak: float = Field(description="highest score, 0 to 1")
    length_um: float = Field(description="length along the scratch")
    width_um: float = Field(description="area over length")
    area_um2: float = Field(description="area")
    contrast_sigma: float = Field(description="brightness above the background, in sigmas of the noise")
    direction_deg: float = Field(description="direction of the long axis, from x towards y, 0 to 180")

    @classmethod
    def of(cls, scratch: Scratch, meta: ZoneMeta, label: str) -> "FoundScratch":
        """Return a scratch with its place on the glass."""
        x, y, width, height = scratch.bbox_px
        return cls(
            bbox_px=scratch.bbox_px, label=label, probability=None, zone=meta.zone,
            x_mm=meta.stage_x_mm + (x + width / 2) * meta.pitch_um / 1000,
            y_mm=meta.stage_y_mm + (y + height / 2) * meta.pitch_um / 1000, peak=scratch.peak,
            length_um=scratch.length_um, width_um=scratch.width_um, area_um2=scratch.area_um2,
            contrast_sigma=scratch.contrast_sigma, direction_deg=scratch.direction_deg,
        )  # fmt: skip

    @property
    def caption(self) -> str:
        """Its length."""
        return f"{self.label} {self.length_um:.0f} µm"


@dataclass(frozen=True)
class _Zone:
    outcome: ZoneOutcome
    defects: tuple[FoundScratch, ...] = ()
    pictures: tuple[Picture, ...] = ()


class ScratchInspector:
    """Judges a glass by its zones; one that cannot be trusted refuses the glass."""

    by_glass = True

    def __init__(self, bundle: Bundle, how: Running) -> None:
        """Open the graph.

        Raises:
            ModelError: The bundle cannot be run.
            SettingsError: A threshold is missing or out of range, or an option is not for this system.
        """
        how.check(bundle.manifest.system, ("f32", "bf16"), False)
        self.manifest = bundle.manifest
        coarse = "bf16" if how.precision == "bf16" else "f32"
        self.segmenter = Segmenter(bundle, how.threads, coarse, how.runtime, how.device)  # type: ignore[arg-type]
        self.runtime, self.precision = self.segmenter.runtime, self.segmenter.precision

    @property
    def thresholds(self) -> dict[str, Any]:
        """Thresholds that are applied."""
        return self.segmenter.find.model_dump()

    def read(self, unit: Unit) -> GlassUnit:
        """Return the glass: its zones are read one after the other when it is judged.

        Raises:
            DataError: It is an image: scratches are looked for in all light states of a zone.
        """
        if not isinstance(unit, GlassUnit):
            raise DataError(
                f"{unit.name} must be a capture with all light states, which this bundle looks at, got an image; give "
                "the folder of captures"
            )
        return unit

    def judge(self, unit: GlassUnit) -> Judged:
        """Return the verdict on a glass."""
        zones = [
            _Zone(ZoneOutcome(zone=ref.zone, verdict="refused", reason=unfinished_reason(ref)))
            for ref in unit.unfinished
        ]
        product, cycle = "", ""
        for ref, read in _ahead(unit.captures, unit.zones, self.segmenter):
            if isinstance(read, StorageError):  # another time it may answer
                raise read
            if isinstance(read, tuple):
                product, cycle = read[0].product, read[0].cycle
            zones.append(_judged(ref, read, self.segmenter))
        zones.sort(key=lambda one: one.outcome.zone)
        verdict, reason = _pooled([one.outcome for one in zones])
        defects = sorted((one for zone in zones for one in zone.defects), key=lambda one: -one.peak)
        return Judged(
            verdict, self.segmenter.label if verdict == "defective" else "", reason=reason, defects=tuple(defects),
            zones=tuple(one.outcome for one in zones), product=product, cycle=cycle,
            pictures=tuple(picture for zone in zones for picture in zone.pictures),
        )  # fmt: skip


def _ahead(captures: Captures, refs: Sequence[ZoneRef], segmenter: Segmenter) -> Iterator[tuple[ZoneRef, Read]]:
    """Yield each zone as read; the next one is read meanwhile."""

    def read(ref: ZoneRef) -> Read:
        try:
            meta, frames_SHW = segmenter.read(captures, ref)
            check_exposed(frames_SHW, meta)
        except (DataError, StorageError) as error:
            return error
        return meta, frames_SHW

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = [pool.submit(read, ref) for ref in refs[:1]]
        for number, ref in enumerate(refs):
            now = coming.pop().result()
            coming += [pool.submit(read, following) for following in refs[number + 1 : number + 2]]
            yield ref, now


def _judged(ref: ZoneRef, read: Read, segmenter: Segmenter) -> _Zone:
    if not isinstance(read, tuple):
        return _Zone(ZoneOutcome(zone=ref.zone, verdict="refused", reason=str(read)))
    meta, frames_SHW = read
    scores = segmenter.score_frames(frames_SHW, meta.pitch_um)
    found = find_scratches(scores, segmenter.find)
    if not found:
        return _Zone(ZoneOutcome(zone=ref.zone, verdict="good"))
    defects = tuple(FoundScratch.of(scratch, meta, segmenter.label) for scratch in found)
    shown = _shown(grey_of_states(frames_SHW, meta.pattern))
    picture = Picture(ref.image_name, shown, np.asarray(scores.score_hw, np.float32), defects)
    return _Zone(ZoneOutcome(zone=ref.zone, verdict="defective"), defects, (picture,))


def _shown(grey_HW: npt.NDArray[np.uint16]) -> Image:
    """Return a zone as people see it on a screen."""
    low, high = np.percentile(grey_HW[::4, ::4], _SHOWN)
    scaled_HW = (grey_HW.astype(np.float32) - low) * (255 / max(high - low, 1))
    return np.asarray(scaled_HW.clip(0, 255), np.uint8)


def _pooled(zones: Sequence[ZoneOutcome]) -> tuple[Outcome, str]:
    """Return the verdict on a glass and why it is refused."""
    if not zones:
        return "refused", "a glass must have at least one clean zone, got none; check its name"
    refused = [zone for zone in zones if zone.verdict == "refused"]
    if refused:
        more = f" (and {len(refused) - 1} zones more)" if len(refused) > 1 else ""
        return "refused", f"{refused[0].reason}{more}"
    return ("defective" if any(zone.verdict == "defective" for zone in zones) else "good"), ""

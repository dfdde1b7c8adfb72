"""What the inspector says of a unit: a line of `verdicts.jsonl`, and the rows of the tables beside it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AwareDatetime, Field, SerializeAsAny

from glassline.settings import Settings

FORMAT_VERSION = 1

#: `refused`: it was not, or not wholly, looked at; never taken for good. `unknown`: no class is sure enough.
Outcome = Literal["good", "defective", "unknown", "refused"]
Kind = Literal["image", "zone", "glass"]
Image = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]


class Found(Settings):
    """A defect; what more a system tells of one is in the classes made of this."""

    bbox_px: Box = Field(description="x, y, width, height in px of the image or zone")
    label: str = Field(description="its class, '' where the bundle tells none")
    probability: float | None = Field(description="probability of the class, None where none is told")

    @property
    def caption(self) -> str:
        """What stands beside its box on the overlay."""
        return self.label if self.probability is None else f"{self.label} {self.probability:.2f}"


class ZoneOutcome(Settings):
    """One zone of a glass."""

    zone: int = Field(description="index on the glass")
    verdict: Outcome = Field(description="verdict on the zone")
    reason: str = Field("", description="why it is refused")


@dataclass(frozen=True)
class Picture:
    """What an overlay shows.

    Attributes:
        name: Its file's name without suffix.
        image: Grey (H, W) or red, green, blue (H, W, 3).
        heat: Where the model sees something, 0 to 1, of any size; None where it tells no places.
        found: What is boxed.
    """

    name: str
    image: Image
    heat: Real | None
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Judged:
    """What an inspector says of a unit; fields as those of `Line`."""

    verdict: Outcome
    label: str = ""
    probabilities: dict[str, float] | None = None
    distance: float | None = None
    reason: str = ""
    defects: tuple[Found, ...] = ()
    zones: tuple[ZoneOutcome, ...] = ()
    product: str = ""
    cycle: str = ""
    pictures: tuple[Picture, ...] = ()


class Line(Settings):
    """One unit: an image, a zone, or a glass."""

    format_version: int = Field(FORMAT_VERSION, description="layout of this line")
    unit: str = Field(description="the image's path as it was given, or glass or zone below their captures")
    kind: Kind = Field(description="what it is")
    verdict: Outcome = Field(description="good, defective, unknown or refused")
    reason: str = Field("", description="why it is refused")
    label: str = Field("", description="class, '' where the system tells none of the whole")
    probabilities: dict[str, float] | None = Field(None, description="of each class, where they are told")
    distance: float | None = Field(None, description="of the nearest reference, of a metric network")
    defects: tuple[SerializeAsAny[Found], ...] = Field((), description="what was found, the surest first")
    zones: tuple[ZoneOutcome, ...] = Field((), description="zones of a glass")
    overlays: tuple[str, ...] = Field((), description="pictures beside this file")
    product: str = Field("", description="product of a capture")
    cycle: str = Field("", description="its product cycle")
    sha256: str = Field(description="of the image's bytes, or of the manifests of a capture; '' where unreadable")
    system: str = Field(description="which of the five systems judged")
    model: str = Field(description="name of the network")
    bundle_sha256: str = Field(description="hash of the bundle, its editable thresholds excepted")
    thresholds: dict[str, Any] = Field(description="thresholds that were applied")
    runtime: str = Field(description="what ran the network")
    device: str = Field(description="where")
    precision: str = Field(description="its arithmetic: bf16 may disagree with f32 at the threshold")
    inspected_utc: AwareDatetime = Field(description="when")
    seconds: float = Field(description="from the first read to here")
    key: str = Field(description="what is remembered: unit, content, bundle and thresholds")

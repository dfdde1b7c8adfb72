"""How images are cut into patches: what training and the line must agree on."""

from typing import Self

from pydantic import Field, model_validator

from glassline.data.images import DepthWindow
from glassline.settings import Settings
from glassline.vision.candidate_patches import ExtractSettings
from glassline.vision.windows import STEP_PX, WINDOW_PX


class CutSettings(Settings):
    """How images are cut into patches."""

    window_px: int = Field(WINDOW_PX, ge=16, le=4096, description="edge of a window in the image, px")
    step_px: int = Field(STEP_PX, ge=1, le=4096, description="step from a window to its neighbour, px")
    clean_per_image: int = Field(16, ge=1, description="windows without a defect kept of an image at most")
    least_overlap: float = Field(
        0.25, gt=0, le=1,
        description="share of a defect, or of as much of it as fits in a window, from which a window shows it",
    )  # fmt: skip
    depth_window: DepthWindow | None = Field(
        None, description="grey levels [low, high] of a 12- or 16-bit image that become 0 and 255"
    )
    light_state: int | None = Field(
        None, ge=0, description="light state of captures to look at; none: the maximum over all of them"
    )
    extract: ExtractSettings = Field(
        ExtractSettings(), description="how candidates are found where no image says where its defect is"
    )

    @model_validator(mode="after")
    def _covered(self) -> Self:
        if self.step_px > self.window_px:
            raise ValueError(
                f"step_px must be <= window_px, {self.window_px}, or pixels between windows are never looked at, got "
                f"{self.step_px}; lower it"
            )
        return self

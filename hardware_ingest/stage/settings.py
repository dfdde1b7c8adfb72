"""Where the stage is and how far and fast it may go."""

from typing import Literal

from pydantic import Field, model_validator

from glassline.errors import SettingsError
from glassline.settings import Settings


class StageSettings(Settings):
    """The stage: GRBL 1.1 on a serial line."""

    kind: Literal["simulated", "grbl"] = Field("simulated", description="in this process, or GRBL on a serial line")
    port: str = Field("/dev/ttyUSB0", min_length=1, description="serial port")
    baud: int = Field(115_200, ge=1200, description="baud rate")
    origin_mm: tuple[float, float] = Field(
        (0.0, 0.0), description="machine place at which a frame's first pixel sees the glass's origin"
    )
    x_limits_mm: tuple[float, float] = Field((0.0, 300.0), description="soft limits of x, machine places")
    y_limits_mm: tuple[float, float] = Field((0.0, 300.0), description="soft limits of y, machine places")
    feed_mm_s: float = Field(200.0, gt=0, le=5000, description="speed of ordinary moves")
    answer_timeout_s: float = Field(1.0, gt=0, le=60, description="longest wait for one answer")
    home_timeout_s: float = Field(60.0, gt=0, le=600, description="longest homing")
    move_timeout_s: float = Field(30.0, gt=0, le=600, description="longest move")
    poll_ms: float = Field(5.0, gt=0, le=1000, description="between two questions for the status")
    tolerance_mm: float = Field(0.02, gt=0, description="farthest that a move may end from where it was sent")

    @model_validator(mode="after")
    def _limits_in_order(self) -> "StageSettings":
        for name in ("x_limits_mm", "y_limits_mm"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name} must be [low, high] with low < high, got [{low:g}, {high:g}]; swap them")
        return self

    def machine_mm(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Return the machine place, x and y in mm, at which a frame's first pixel sees a place on the glass.

        Args:
            x_mm: Place on the glass, x.
            y_mm: Place on the glass, y.

        Raises:
            SettingsError: Outside the soft limits.
        """
        place_mm = (x_mm + self.origin_mm[0], y_mm + self.origin_mm[1])
        for axis, at_mm, (low_mm, high_mm) in zip("xy", place_mm, (self.x_limits_mm, self.y_limits_mm), strict=True):
            if not low_mm <= at_mm <= high_mm:
                raise SettingsError(
                    f"{axis} must lie within {low_mm:g} to {high_mm:g} mm, got {at_mm:.3f}; mend the zone grid, "
                    f"stage.origin_mm or stage.{axis}_limits_mm"
                )
        return place_mm

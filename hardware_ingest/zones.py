"""Where the zones of a glass lie: a grid whose neighbours overlap."""

from dataclasses import dataclass

from pydantic import Field, model_validator

from glassline.settings import Settings


@dataclass(frozen=True)
class Zone:
    """One zone: its index and the place on the glass of its first pixel."""

    index: int
    x_mm: float
    y_mm: float


class ZoneGrid(Settings):
    """A grid of zones; index 0 at the glass's origin, along x first."""

    columns: int = Field(2, ge=1, le=100, description="zones along x")
    rows: int = Field(5, ge=1, le=100, description="zones along y")
    width_px: int = Field(3504, ge=1, description="width of a zone")
    height_px: int = Field(3120, ge=1, description="height of a zone")
    pitch_um: float = Field(11.4, gt=0, description="pixel pitch on the glass")
    overlap_px: int = Field(256, ge=0, description="overlap with the neighbouring zone")

    @model_validator(mode="after")
    def _moves_on(self) -> "ZoneGrid":
        if self.overlap_px >= min(self.width_px, self.height_px):
            raise ValueError(
                f"overlap_px must be < the zone's edges {self.width_px} x {self.height_px} px, got {self.overlap_px}; "
                "lower it"
            )
        return self

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of what all zones together cover."""
        step_x_px, step_y_px = self.width_px - self.overlap_px, self.height_px - self.overlap_px
        return (
            ((self.columns - 1) * step_x_px + self.width_px) * self.pitch_um / 1000,
            ((self.rows - 1) * step_y_px + self.height_px) * self.pitch_um / 1000,
        )

    def zones(self) -> list[Zone]:
        """Return every zone in the order of capture."""
        step_x_mm = (self.width_px - self.overlap_px) * self.pitch_um / 1000
        step_y_mm = (self.height_px - self.overlap_px) * self.pitch_um / 1000
        return [
            Zone(row * self.columns + column, column * step_x_mm, row * step_y_mm)
            for row in range(self.rows)
            for column in range(self.columns)
        ]


def full_grid() -> ZoneGrid:
    """Return the rig's: 10 zones of 40 x 35 mm (3504 x 3120 px of 11.4 um)."""
    return ZoneGrid()


def demo_grid() -> ZoneGrid:
    """Return two zones of 1024 x 1024 px at the same pitch."""
    return ZoneGrid(columns=2, rows=1, width_px=1024, height_px=1024)

"""From a score map to scratches: two thresholds, DBSCAN in between, and what an engineer wants to know of each.

Source: Turko 2021, section 5.5. Its constants are in px of 11.4 um; they are kept in um, so that they survive another
pitch.
"""

from dataclasses import dataclass

from pydantic import Field

from glassline.settings import Settings


class FindSettings(Settings):
    """Which pixels of a score map are a scratch."""

    low: float = Field(0.25, gt=0, lt=1, description="score that a pixel needs")
    high: float = Field(0.75, gt=0, le=1, description="score that a scratch needs somewhere")
    coarse_um: float = Field(91.2, gt=0, description="pixel of the map that is clustered: 8 px")
    near_um: float = Field(2280.0, gt=0, description="distance within which pixels are neighbours: 25 px of that map")
    least_points: int = Field(
        16, ge=1, description="neighbours of that map, itself included, that make a cluster's core"
    )


@dataclass(frozen=True)
class Scratch:
    """One scratch in a zone.

    Attributes:
        bbox_px: x, y, width, height in px of the zone.
        peak: Highest score, 0 to 1.
        length_um: Along its skeleton.
        width_um: Area over length.
        area_um2: Of the pixels over the low threshold.
        contrast_sigma: Mean over its pixels of the brightest light state above the background, in sigmas of the noise.
        direction_deg: Of its long axis, from x towards y (down), 0 to 180.
    """

    bbox_px: tuple[int, int, int, int]
    peak: float
    length_um: float
    width_um: float
    area_um2: float
    contrast_sigma: float
    direction_deg: float

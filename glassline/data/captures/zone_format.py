"""What every zone that a network reads must have in common: light states, Bayer pattern, depth.

A network trained on one arrangement of lights and colours means nothing on another: what differs is an error here,
before any pixel is read.
"""

from collections.abc import Sequence

from pydantic import Field

from glassline.data.captures.meta import Pattern, ZoneMeta
from glassline.errors import DataError
from glassline.settings import Settings

# Azimuths of one rig repeat to within this.
_TOLERANCE_DEG = 0.5


def match_azimuths(wanted_deg: Sequence[float], got_deg: Sequence[float]) -> list[int] | None:
    """Return the index of each wanted azimuth among those got, modulo 180: opposite lights are one.

    None where one is missing or two are the same.
    """
    # 179.8 and 0.1 degrees are neighbours.
    apart = [[abs((got - wanted + 90) % 180 - 90) for got in got_deg] for wanted in wanted_deg]
    if any(min(row, default=180.0) > _TOLERANCE_DEG for row in apart):
        return None
    found = [row.index(min(row)) for row in apart]
    return found if len(set(found)) == len(found) else None


class ZoneFormat(Settings):
    """Arrangement of a zone's frames."""

    azimuths_deg: tuple[float, ...] = Field(
        description="azimuth of each light state, modulo 180, rising; () for one grey image that no rig took"
    )
    pattern: Pattern = Field(description="colour filter of the sensor")
    bit_depth: int = Field(ge=8, le=16, description="significant bits of a pixel")
    pitch_um: float | None = Field(description="pixel pitch on the glass, None where unknown")

    @property
    def states(self) -> int:
        """Number of frames."""
        return max(len(self.azimuths_deg), 1)

    @classmethod
    def of(cls, meta: ZoneMeta) -> "ZoneFormat":
        """Return the format of a zone."""
        azimuths = tuple(sorted(azimuth % 180 for azimuth in meta.azimuths_deg))
        return cls(azimuths_deg=azimuths, pattern=meta.pattern, bit_depth=meta.bit_depth, pitch_um=meta.pitch_um)

    def order(self, meta: ZoneMeta) -> list[int]:
        """Return which frame of a zone is each light state of this format.

        The pitch may differ: lengths are kept in um and the network is shown another scale.

        Raises:
            DataError: A light state is missing or there are others, or pattern or depth differ; names the zone.
        """
        if (meta.pattern, meta.bit_depth) != (self.pattern, self.bit_depth):
            raise DataError(
                f"{meta.ref.path} must have the pattern {self.pattern} and {self.bit_depth} bit, which the model was "
                f"trained on, got {meta.pattern} and {meta.bit_depth} bit; train a model on such captures"
            )
        there = [azimuth % 180 for azimuth in meta.azimuths_deg]
        found = match_azimuths(self.azimuths_deg, there)
        if found is None or len(found) != len(there):
            wanted, got = (
                ", ".join(f"{azimuth:g}" for azimuth in those) for those in (self.azimuths_deg, sorted(there))
            )
            raise DataError(
                f"{meta.ref.path} must have the light states {wanted or 'of one grey image'} (degrees modulo 180), "
                f"which the model was trained on, got {got}; capture them all, or train a model on these"
            )
        return found

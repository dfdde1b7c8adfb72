"""Augmentation of captures that keeps the physics: the mosaic stays a mosaic, the lights turn with the glass.

Source: Turko 2021, section 5.6, after Liu 2019 (Bayer-preserving augmentation: a turned mosaic is shifted by a row or a
column until its colours lie as before). That light states must be permuted with the geometry the paper leaves out.
Directions are in image coordinates: x to the right, y down, azimuth from x towards y.
Shapes: S light states x H x W pixels.
"""

from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from glassline.data.captures.meta import Pattern
from glassline.data.captures.store import Frames
from glassline.data.captures.zone_format import ZoneFormat, match_azimuths

Array = TypeVar("Array", bound=npt.NDArray[np.generic])

#: Rows and columns more than a patch has, so that a turned mosaic can be shifted.
SPARE_PX = 2
_STRUCK_SHARE = 4e-5
# From the median step between neighbours of one colour to the sigma of independent noise.
_STEP_TO_SIGMA = 1.05


@dataclass(frozen=True)
class Turn:
    """One of the eight ways to lay a square: mirrored or not, then turned by quarters.

    Attributes:
        mirrored: Columns in reverse order first.
        quarters: Quarter turns from y towards x afterwards, 0 to 3.
    """

    mirrored: bool
    quarters: int

    def azimuth(self, azimuth_deg: float) -> float:
        """Return where light from an azimuth comes from after the turn, modulo 180."""
        return ((-azimuth_deg if self.mirrored else azimuth_deg) - 90 * self.quarters) % 180

    def lay(self, image_HW: Array) -> Array:
        """Return an image, or a stack of them, laid that way."""
        laid = np.flip(image_HW, -1) if self.mirrored else image_HW
        return cast(Array, np.rot90(laid, self.quarters, axes=(-2, -1)))

    def states(self, azimuths_deg: tuple[float, ...]) -> list[int] | None:
        """Return which old light state each new one is, None where the lights do not map onto themselves."""
        return match_azimuths(azimuths_deg, [self.azimuth(azimuth) for azimuth in azimuths_deg])


TURNS = tuple(Turn(mirrored, quarters) for mirrored in (False, True) for quarters in range(4))


def possible_turns(of: ZoneFormat) -> tuple[Turn, ...]:
    """Return the ways that map a format's lights onto themselves; all eight for a grey image."""
    return tuple(turn for turn in TURNS if turn.states(of.azimuths_deg) is not None)


def turn_capture(
    frames_SHW: Frames, mask_HW: npt.NDArray[np.bool_], turn: Turn, of: ZoneFormat
) -> tuple[Frames, npt.NDArray[np.bool_]]:
    """Return frames and mask of the turned glass under the same lights and sensor, `SPARE_PX` smaller.

    Args:
        frames_SHW: Square frames whose first pixel is the pattern's first; S in the order of the format.
        mask_HW: Mask of the same pixels.
        turn: A possible one.
        of: Lights and pattern.
    """
    states = turn.states(of.azimuths_deg)
    if states is None:
        raise AssertionError(f"{turn} does not map the lights {of.azimuths_deg} onto themselves")
    laid_SHW = turn.lay(frames_SHW)[states] if of.azimuths_deg else turn.lay(frames_SHW)
    edge = frames_SHW.shape[-1] - SPARE_PX
    y, x = _shift(of.pattern, turn, frames_SHW.shape[-1])
    view = (slice(y, y + edge), slice(x, x + edge))
    return np.ascontiguousarray(laid_SHW[:, *view]), np.ascontiguousarray(turn.lay(mask_HW)[view])


def _shift(pattern: Pattern, turn: Turn, edge_px: int) -> tuple[int, int]:
    """Return the row and column at which a turned mosaic begins as the pattern does."""
    if pattern == "mono":
        return 0, 0
    colours = np.array(list(pattern)).reshape(2, 2)
    laid = turn.lay(np.tile(colours, (edge_px // 2 + 1, edge_px // 2 + 1))[:edge_px, :edge_px])
    for y in (0, 1):
        for x in (0, 1):
            if (laid[y : y + 2, x : x + 2] == colours).all():
                return y, x
    raise AssertionError(f"no shift restores {pattern}")


def add_noise(frames_SHW: Frames, rng: np.random.Generator, bit_depth: int) -> Frames:
    """Return frames with Gaussian noise of up to the frames' own, and a few pixels black or white ("salt, pepper").

    Args:
        frames_SHW: Frames of a patch.
        rng: Source of the noise.
        bit_depth: Bits of a pixel: what white is.
    """
    white = 2**bit_depth - 1
    steps = np.abs(np.diff(frames_SHW[:, ::4, ::2].astype(np.float32), axis=-1))
    sigma = rng.uniform(0, 1) * _STEP_TO_SIGMA * float(np.median(steps))
    noisy_SHW = frames_SHW + np.float32(sigma) * rng.standard_normal(frames_SHW.shape, np.float32)
    struck = rng.integers(frames_SHW.size, size=int(rng.uniform(0, _STRUCK_SHARE) * frames_SHW.size))
    noisy_SHW.ravel()[struck] = rng.choice([0, white], len(struck))
    return np.clip(np.rint(noisy_SHW), 0, white).astype(np.uint16)

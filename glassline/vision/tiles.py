"""Score a whole zone tile by tile, with blended seams, in memory that its size hardly changes.

Shapes: S light states, H x W pixels of the zone, h x w pixels of the score map (q px of the zone each).
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import Field

from glassline.data.captures.store import Frames
from glassline.data.captures.window import Window
from glassline.settings import Settings
from glassline.vision.light_states import Real

#: Read the frames (S, H, W) of a window of the zone, in the order of the model's light states.
ReadWindow = Callable[[Window], Frames]
#: Run a network: from sigmas (B, S, H, W) to scores (B, H / q, W / q) in [0, 1].
RunNetwork = Callable[[Real], Real]


class TileSettings(Settings):
    """How a zone is cut."""

    tile_px: int = Field(
        1024, ge=64, description="edge of a tile, a multiple of 64; zones that are smaller are filled up"
    )
    overlap_px: int = Field(128, ge=0, description="overlap of neighbouring tiles, over which their scores are blended")


@dataclass(frozen=True)
class ZoneScores:
    """What a network says of a zone.

    Attributes:
        score_hw: Likeness to a scratch, 0 to 1.
        strength_hw: Brightest light state and pixel of each block above the background, in sigmas of the noise.
        block_px: Edge in px of the zone of what a pixel of the maps stands for.
        pitch_um: Pixel pitch of the zone.
    """

    score_hw: Real
    strength_hw: Real
    block_px: int
    pitch_um: float

"""Score a whole zone tile by tile, with blended seams, in memory that its size hardly changes.

Shapes: S light states, H x W pixels of the zone, h x w pixels of the score map (q px of the zone each).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from glassline.data.captures.store import Frames
from glassline.data.captures.window import Window
from glassline.data.captures.zone_format import ZoneFormat
from glassline.settings import Settings
from glassline.vision.light_states import Real
from glassline.vision.network_input import network_input

#: Read the frames (S, H, W) of a window of the zone, in the order of the model's light states.
ReadWindow = Callable[[Window], Frames]
#: Run a network: from sigmas (B, S, H, W) to scores (B, H / q, W / q) in [0, 1].
RunNetwork = Callable[[Real], Real]

# Networks halve their map five times: tiles begin and end on multiples of so many blocks, so that one is pooled in a
# tile as it would be in the whole zone.
_STEP_BLOCKS = 32


class TileSettings(Settings):
    """How a zone is cut."""

    tile_px: int = Field(
        1024, ge=128, multiple_of=64, description="longest edge of a tile; zones are filled up to a multiple of 64"
    )
    overlap_px: int = Field(
        128, ge=0, description="overlap of neighbouring tiles, over which their scores are blended; half a tile at most"
    )


@dataclass(frozen=True)
class ZoneScores:
    """What a network says of a zone.

    Attributes:
        score_hw: Likeness to a scratch, 0 to 1.
        strength_hw: Brightest light state and pixel of each block above the background, in sigmas of the noise.
        block_px: Edge in px of the zone of what a pixel of the maps stands for; the last row and column of an odd zone
            reach a pixel beyond it.
        pitch_um: Pixel pitch of the zone.
    """

    score_hw: Real
    strength_hw: Real
    block_px: int
    pitch_um: float


def score_zone(
    read: ReadWindow, size_px: tuple[int, int], of: ZoneFormat, run: RunNetwork, settings: TileSettings, block_px: int,
    direction_blind: bool, pitch_um: float,
) -> ZoneScores:  # fmt: skip
    """Score a zone.

    Tiles are read and run one after the other. All have one shape, no larger than stated, and share the zone evenly;
    beyond its rim they are filled up by reflection, which keeps the mosaic's phase. Each has its own background and
    noise, as patches have in training.

    Args:
        read: Reads a window of the zone.
        size_px: Height and width of the zone.
        of: Format that the network was trained on.
        run: Network.
        settings: Tiles.
        block_px: Edge in px of what a pixel of its scores stands for.
        direction_blind: Whether the network reads the mean over light states.
        pitch_um: Pixel pitch of the zone.

    Returns:
        Maps of ceil(H / q) x ceil(W / q).
    """
    rows, columns = (_cuts(size, settings, block_px * _STEP_BLOCKS) for size in size_px)
    shape_hw = tuple(math.ceil(size / block_px) for size in size_px)
    score_hw, strength_hw = (np.zeros(shape_hw, np.float32) for _ in range(2))
    for (top, bottom), down_h in zip(rows, _weights(rows, block_px), strict=True):
        for (left, right), across_w in zip(columns, _weights(columns, block_px), strict=True):
            window = Window(left, top, min(right, size_px[1]) - left, min(bottom, size_px[0]) - top)
            sigmas_SHW = network_input(read(window), of.pattern, direction_blind)
            beyond = ((0, 0), (0, bottom - top - window.height_px), (0, right - left - window.width_px))
            sigmas_SHW = np.pad(sigmas_SHW, beyond, mode="reflect")
            here = np.s_[top // block_px : bottom // block_px, left // block_px : right // block_px]
            for map_hw, tile_hw in (
                (score_hw, run(sigmas_SHW[None])[0]),
                (strength_hw, _brightest(sigmas_SHW, block_px)),
            ):
                part_hw = map_hw[here]
                part_hw += (tile_hw * np.outer(down_h, across_w))[: part_hw.shape[0], : part_hw.shape[1]]
    # Weights that sum to 1 may round to a hair more.
    return ZoneScores(score_hw.clip(0, 1), strength_hw, block_px, pitch_um)


def _cuts(size_px: int, settings: TileSettings, step_px: int) -> list[tuple[int, int]]:
    """Return begin and end of each tile along one axis: as few as the longest edge allows, then as short as can be."""
    steps, longest, overlap = (math.ceil(px / step_px) for px in (size_px, settings.tile_px, settings.overlap_px))
    overlap = min(overlap, longest // 2)
    count = max(1, math.ceil((steps - overlap) / (longest - overlap)))
    edge = math.ceil((steps + (count - 1) * overlap) / count)
    begins = [number * (steps - edge) // max(count - 1, 1) for number in range(count)]
    return [(begin * step_px, (begin + edge) * step_px) for begin in begins]


def _weights(cuts: list[tuple[int, int]], block_px: int) -> list[Real]:
    """Return each tile's weights along one axis: linear over the overlap with a neighbour, together 1 everywhere."""
    blocks = [(begin // block_px, end // block_px) for begin, end in cuts]
    raw = []
    for number, (begin, end) in enumerate(blocks):
        before = blocks[number - 1][1] - begin if number else 0
        after = end - blocks[number + 1][0] if number + 1 < len(blocks) else 0
        place_h = np.arange(end - begin) + 0.5
        raw.append(np.minimum(1, np.minimum(place_h / max(before, 0.5), place_h[::-1] / max(after, 0.5))))
    total_h = np.zeros(blocks[-1][1])
    for (begin, end), weight_h in zip(blocks, raw, strict=True):
        total_h[begin:end] += weight_h
    return [
        np.asarray(weight_h / total_h[begin:end], np.float32)
        for (begin, end), weight_h in zip(blocks, raw, strict=True)
    ]


def _brightest(sigmas_SHW: Real, block_px: int) -> Real:
    """Return the highest light state and pixel of each block."""
    brightest_HW = sigmas_SHW.max(axis=0)
    # Rows, then every q-th column: seven times as fast as both axes of blocks at once.
    rows_hW = brightest_HW.reshape(brightest_HW.shape[0] // block_px, block_px, -1).max(axis=1)
    return np.asarray(np.maximum.reduce([rows_hW[:, column::block_px] for column in range(block_px)]))

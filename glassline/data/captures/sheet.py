"""A contact sheet: zones down, light states across, one brightness window for all.

Shapes: S light states x H x W pixels, N zones.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from glassline.data.captures.chunks import Frames
from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures
from glassline.data.storage import written_whole
from glassline.errors import DataError

#: Most zones of one sheet: three glasses of the rig, clean and marked.
MOST_ZONES = 60

_THUMB_PX, _GAP_PX, _HEAD_PX, _SIDE_PX, _FONT_PX = 240, 4, 54, 150, 17
_GROUND, _INK = 60, 240


def write_sheet(
    captures: Captures, refs: list[ZoneRef], out: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[int, int]:
    """Draw zones as a PNG, so that scratches and dust of a dark field can be seen.

    Each thumbnail pixel is the brightest of its block: a scratch of a few px would vanish in an average.

    Args:
        captures: Where the zones lie.
        refs: The zones, at most 60.
        out: The PNG.
        progress: Called with zones done and their number.

    Returns:
        The grey levels that are drawn black and white.

    Raises:
        DataError: There are no zones or too many, or one is damaged.
        StorageError: A place does not answer.
    """
    if not 0 < len(refs) <= MOST_ZONES:
        raise DataError(f"a sheet must have 1 to {MOST_ZONES} zones, got {len(refs)}; choose a --glass")
    thumbs = []
    for number, ref in enumerate(refs, 1):
        thumbs.append(_brightest(captures.read(ref)))
        progress(number, len(refs))
    window = brightness_window(np.concatenate([thumb_SHW.ravel() for thumb_SHW in thumbs]))
    azimuths = [captures.meta(ref).azimuths_deg for ref in refs]
    sheet = _drawn(refs, azimuths, [_grey(thumb_SHW, window) for thumb_SHW in thumbs], window)
    with written_whole(out) as beside:
        sheet.save(beside, "PNG")
    return window


def brightness_window(levels_N: npt.NDArray[np.uint16]) -> tuple[int, int]:
    """Return the grey levels to draw black and white.

    Black is the darkest percent. White is the brightest half percent, but at least 20 standard deviations of
    the noise above the median, or a clean glass would be drawn as a storm of noise.
    """
    low, quarter, median, high = np.percentile(levels_N, (1, 25, 50, 99.5))
    noise = (median - quarter) / 0.6745
    return int(low), int(np.ceil(max(high, median + 20 * noise, low + 1)))


def _brightest(frames_SHW: Frames) -> Frames:
    """Return the maximum over blocks that make the longer edge a thumbnail's; what is left at the edges is cut."""
    states, height_px, width_px = frames_SHW.shape
    edge_px = -(-max(height_px, width_px) // _THUMB_PX)
    rows, columns = max(height_px // edge_px, 1), max(width_px // edge_px, 1)
    cut_SHW = frames_SHW[:, : rows * edge_px, : columns * edge_px]
    block_y_px, block_x_px = cut_SHW.shape[1] // rows, cut_SHW.shape[2] // columns
    return np.asarray(cut_SHW.reshape(states, rows, block_y_px, columns, block_x_px).max((2, 4)), np.uint16)


def _grey(thumb_SHW: Frames, window: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return 8 bit; the square root lifts what is faint."""
    scaled_SHW = (thumb_SHW.astype(np.float32) - window[0]) / (window[1] - window[0])
    return np.asarray(np.rint(255 * np.sqrt(scaled_SHW.clip(0, 1))), np.uint8)


def _drawn(
    refs: list[ZoneRef],
    azimuths: list[tuple[float, ...]],
    greys: list[npt.NDArray[np.uint8]],
    window: tuple[int, int],
) -> Image.Image:
    cell_y_px = max(grey_SHW.shape[1] for grey_SHW in greys) + _GAP_PX
    cell_x_px = max(grey_SHW.shape[2] for grey_SHW in greys) + _GAP_PX
    columns = max(map(len, azimuths))
    font = ImageFont.load_default(_FONT_PX)
    note = f"black {window[0]}, white {window[1]}, square root between; brightest pixel of each block"
    width_px = _SIDE_PX + max(columns * cell_x_px, int(font.getlength(note)) + _GAP_PX)  # a rig may have one state
    sheet = Image.new("L", (width_px, _HEAD_PX + len(refs) * cell_y_px), _GROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_SIDE_PX, 6), note, _INK, font)
    for row, (ref, grey_SHW) in enumerate(zip(refs, greys, strict=True)):
        top_px = _HEAD_PX + row * cell_y_px
        draw.text((8, top_px + 4), f"{ref.glass}\n{ref.kind}-{ref.zone:02d}", _INK, font)
        for column, grey_HW in enumerate(grey_SHW):
            sheet.paste(Image.fromarray(grey_HW), (_SIDE_PX + column * cell_x_px, top_px))
    for column in range(columns):
        told = {own[column] for own in azimuths if column < len(own)}
        text = f"{told.pop():g}°" if len(told) == 1 else f"state {column}"
        draw.text((_SIDE_PX + column * cell_x_px, 30), text, _INK, font)
    return sheet

"""A window of a zone, and what a chunk shares with it.

Shapes: S light states x H x W pixels, uint16.
"""

from dataclasses import dataclass

from glassline.data.captures.chunks import Frames
from glassline.data.captures.meta import ZoneRef
from glassline.errors import DataError


@dataclass(frozen=True)
class Window:
    """A window of a zone in pixels."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Rows and columns: `image_HW[window.pixels]`, `frames_SHW[:, *window.pixels]`."""
        return slice(self.y_px, self.y_px + self.height_px), slice(self.x_px, self.x_px + self.width_px)


def check_inside(ref: ZoneRef, window: Window, height_px: int, width_px: int) -> None:
    """Refuse a window that is empty or leaves its zone.

    Raises:
        DataError: It does.
    """
    right_px, bottom_px = window.x_px + window.width_px, window.y_px + window.height_px
    inside = min(window.x_px, window.y_px) >= 0 and right_px <= width_px and bottom_px <= height_px
    if not inside or min(window.width_px, window.height_px) < 1:
        raise DataError(
            f"a window must lie inside {ref.path} of {width_px} x {height_px} px, got {window.width_px} x "
            f"{window.height_px} px at ({window.x_px}, {window.y_px}); move or shrink it"
        )


def copy_overlap(chunk_SHW: Frames, y_px: int, x_px: int, frames_SHW: Frames, window: Window) -> None:
    """Copy the pixels that a chunk and a window share.

    Args:
        chunk_SHW: Pixels of the chunk.
        y_px: Its first row in the zone.
        x_px: Its first column in the zone.
        frames_SHW: Pixels of the window; written to.
        window: Where they lie in the zone.
    """
    top, left = max(y_px, window.y_px), max(x_px, window.x_px)
    bottom = min(y_px + chunk_SHW.shape[1], window.y_px + window.height_px)
    right = min(x_px + chunk_SHW.shape[2], window.x_px + window.width_px)
    part_SHW = chunk_SHW[:, top - y_px : bottom - y_px, left - x_px : right - x_px]
    frames_SHW[:, top - window.y_px : bottom - window.y_px, left - window.x_px : right - window.x_px] = part_SHW

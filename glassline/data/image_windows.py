"""Windows of an image file, as 8-bit grey or colour: of uncompressed TIFF and .npy straight from the disk.

Such files are mapped into memory, so that their size does not matter; others are decoded whole.
Shapes: H x W pixels, h x w pixels of a window, C colour channels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from glassline.data.captures.window import Window
from glassline.data.images import image_header, read_colour, read_grey, to_eight_bit
from glassline.errors import DataError

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImageWindows:
    """An image by its windows.

    Attributes:
        size_px: Height and width.
        read: Reads a window: grey (h, w), or red, green and blue (h, w, 3), uint8.
        mapped: Whether a window is read from the disk; else the whole image is in memory.
    """

    size_px: tuple[int, int]
    read: Callable[[Window], Image]
    mapped: bool = False

    def whole(self) -> Image:
        """Return the whole image."""
        return self.read(Window(0, 0, self.size_px[1], self.size_px[0]))


def open_image(path: str | Path, colour: bool, depth_window: tuple[int, int] | None) -> ImageWindows:
    """Open an image file; pixels are those of `read_grey` and `read_colour`.

    Args:
        path: JPEG, PNG, BMP, TIFF of one page, or .npy of uint8 or uint16 (H, W) or (H, W, 3), red, green and blue.
        colour: Whether to read red, green and blue instead of grey.
        depth_window: Grey levels that become 0 and 255 where there are more than 8 bit.

    Raises:
        DataError: It cannot be read, is grey where colour is wanted, or has more than 8 bit and no window is stated.
    """
    path = Path(path)
    mapped = _mapped_npy(path) if path.suffix.lower() == ".npy" else _mapped_tiff(path)
    wide = image_header(path)[2] > 8 if mapped is None else mapped.dtype != np.uint8
    if wide and depth_window is None:
        raise DataError(
            f"{path} has more than 8 bit and the detector no window that maps it to 8; give an 8-bit image, or train "
            "with depth_window=(low, high) and export again"
        )
    if mapped is None:
        image = read_colour(path, depth_window) if colour else read_grey(path, depth_window)
        return ImageWindows((image.shape[0], image.shape[1]), lambda window: image[window.pixels])
    if colour and mapped.ndim == 2:
        raise DataError(
            f"{path} must be in colour, which is looked at, got a grey image; give a colour one, or use a detector of "
            "grey images"
        )

    def read(window: Window) -> Image:
        part = mapped[window.pixels]
        if part.ndim == 3 and not colour:
            part = cv2.cvtColor(np.ascontiguousarray(part, part.dtype.newbyteorder("=")), cv2.COLOR_RGB2GRAY)
        return np.asarray(to_eight_bit(part, depth_window, str(path)) if part.dtype != np.uint8 else part, np.uint8)

    return ImageWindows((mapped.shape[0], mapped.shape[1]), read, mapped=True)


def _mapped_npy(path: Path) -> npt.NDArray[Any]:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} must be a whole .npy array ({error}); save it again") from error
    if mapped.dtype not in (np.uint8, np.uint16) or mapped.ndim not in (2, 3) or mapped.shape[2:] not in ((), (3,)):
        raise DataError(
            f"{path} must hold uint8 or uint16 (H, W) or (H, W, 3), got {mapped.dtype} {mapped.shape}; save it so"
        )
    if not mapped.size:
        raise DataError(f"{path} must have at least 1 x 1 px, got {mapped.shape}; save it again")
    return np.asarray(mapped)


def _mapped_tiff(path: Path) -> npt.NDArray[Any] | None:
    """Return a memory map of a TIFF whose pixels lie in one piece as they are seen, else None."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return None
    image_header(path)
    try:
        with tifffile.TiffFile(path) as file:
            page: Any = file.pages[0]
            kind = page.photometric.name, page.samplesperpixel, page.planarconfig
            plain = kind in {("MINISBLACK", 1, 1), ("RGB", 3, 1)} and page.bitspersample in (8, 16)
            if not plain or len(file.pages) != 1 or not page.is_memmappable:
                return None
        return np.asarray(tifffile.memmap(path, page=0, mode="r"))
    except (OSError, ValueError):  # no TIFF after all, or cut off: whoever decodes it says so
        return None

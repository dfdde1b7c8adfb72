"""Read images and masks: whole or not at all, 12 and 16 bit only through a stated window.

Pixels are taken as stored: an orientation note in the file is not applied, because masks, boxes and
places on the glass refer to the stored pixels.

Shapes: H x W pixels, C colour channels.
"""

import logging
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from pydantic import AfterValidator

from glassline.errors import DataError

#: Largest image in pixels: five times a full line-scan frame of 12800 x 8192, and half a gigabyte of
#: grey levels. A file that promises more is a decompression bomb or needs tiling first.
MAX_PIXELS = 2**29

#: What the importers take for an image.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")

# Pillow's own limit warns at 89 million pixels, which a line-scan frame passes.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# What is wrong with a TIFF comes as an error; its log lines go only where logging is set up.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

# Decoders that a stray file may reach; Pillow knows many more, some of which start other programs.
_FORMATS = ("JPEG", "PNG", "BMP")

_WHOLE = "must be a whole, readable image"
_REMEDY = "copy or export it again"


def _known_window(window: tuple[int, int]) -> tuple[int, int]:
    try:
        _check_window(window)
    except DataError as error:
        raise ValueError(str(error)) from None
    return window


#: Grey levels that become 0 and 255, as settings hold them: checked before anything runs.
DepthWindow = Annotated[tuple[int, int], AfterValidator(_known_window)]


def read_grey(path: str | Path, depth_window: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Read an image as 8-bit grey.

    Colour becomes 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601); transparency is ignored.

    Args:
        path: JPEG, PNG, BMP or TIFF of one page.
        depth_window: For 12 and 16 bit: grey levels that become 0 and 255, linear between and clipped
            outside. Not applied to 8 bit.

    Returns:
        grey_HW, uint8 in 0..255.

    Raises:
        DataError: The file is missing, empty, truncated, too large or no image; it has more than 8
            bit and no window is stated; the window is empty.
    """
    path = Path(path)
    _check_window(depth_window)
    grey_HW = _to_grey(_decode(path))
    if grey_HW.dtype == np.uint8:
        return np.asarray(grey_HW, np.uint8)
    return to_eight_bit(grey_HW, depth_window, str(path))


def read_colour(path: str | Path, depth_window: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Read an image as 8-bit colour; see `read_grey`.

    Returns:
        rgb_HWC, uint8 in 0..255, red, green, blue.

    Raises:
        DataError: As for `read_grey`, or the image is grey.
    """
    path = Path(path)
    _check_window(depth_window)
    pixels = _decode(path)
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        raise DataError(f"{path} must be in colour, which is looked at, got a grey image; set colour=false")
    rgb_HWC = np.ascontiguousarray(pixels[..., 2::-1])
    return rgb_HWC if rgb_HWC.dtype == np.uint8 else to_eight_bit(rgb_HWC, depth_window, str(path))


def to_eight_bit(
    grey_HW: npt.NDArray[np.uint16], depth_window: tuple[int, int] | None, name: str
) -> npt.NDArray[np.uint8]:
    """Map grey levels of more than 8 bit to 8.

    Args:
        grey_HW: Grey levels, 0 to 65535.
        depth_window: Levels that become 0 and 255, linear between and clipped outside.
        name: What the error calls the image.

    Raises:
        DataError: No window is stated, or it is empty.
    """
    _check_window(depth_window)
    if depth_window is None:
        raise DataError(
            f"{name} has more than 8 bit, grey levels from {grey_HW.min()} to {grey_HW.max()} and needs a stated "
            "mapping to 8 bit, got none; set depth_window=(low, high), for 12-bit data (0, 4095)"
        )
    low, high = depth_window
    # A table of 65536 entries instead of floats of the whole frame.
    levels = np.clip((np.arange(65536) - low) / (high - low), 0, 1)
    return np.asarray(np.rint(levels * 255).astype(np.uint8)[grey_HW])


def read_mask(path: str | Path, shape_HW: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Read a defect mask.

    JPEG masks count from 128 up, because compression rings around edges; all others count wherever
    they are not 0.

    Args:
        path: Mask image of any depth.
        shape_HW: Height and width of the image that it belongs to.

    Returns:
        mask_HW, True on the defect.

    Raises:
        DataError: As for `read_grey`, or the mask is not of the image's size; names both.
    """
    path = Path(path)
    mask_HW = _to_grey(_decode(path))
    if mask_HW.shape != tuple(shape_HW):
        raise DataError(
            f"the mask {path} must be as large as its image, {shape_HW[1]} x {shape_HW[0]} px, "
            f"got {mask_HW.shape[1]} x {mask_HW.shape[0]} px; export the mask at the image's size"
        )
    return mask_HW >= (128 if path.suffix.lower() in {".jpg", ".jpeg"} else 1)


def read_mosaic(path: str | Path) -> npt.NDArray[np.uint16]:
    """Read the pixels of one channel as a sensor gave them, without any mapping.

    Returns:
        mosaic_HW, of 8 to 16 significant bits.

    Raises:
        DataError: The file is missing, truncated, of several pages, or in colour.
    """
    mosaic_HW = _decode(Path(path))
    if mosaic_HW.ndim != 2:
        raise DataError(
            f"{path} must hold one channel, the mosaic as the sensor gave it, got {mosaic_HW.shape[2]} channels; "
            "export it raw"
        )
    return np.asarray(mosaic_HW, np.uint16)


def image_header(path: str | Path) -> tuple[int, int, int]:
    """Read width in px, height in px and bits per channel (8 to 16) without decoding pixels.

    Raises:
        DataError: The file is missing, empty, no image, of several pages, or too large.
    """
    path = Path(path)
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} {_WHOLE}, got an empty file; {_REMEDY}")
        width_px, height_px, bits = _tiff_header(path) if _is_tiff(path) else _header(path)
    except (DataError, MemoryError):  # little memory is no fault of the file
        raise
    except Exception as error:  # Decoders raise whatever they like on bad bytes.
        raise _unreadable(path, error) from error
    if width_px < 1 or height_px < 1:
        raise DataError(f"{path} must have at least 1 x 1 px, got {width_px} x {height_px}; {_REMEDY}")
    if width_px * height_px > MAX_PIXELS:
        raise DataError(
            f"{path} must have at most {MAX_PIXELS} px, got {width_px} x {height_px} = {width_px * height_px}; "
            "cut it into tiles"
        )
    return width_px, height_px, max(bits, 8)


def _check_window(depth_window: tuple[int, int] | None) -> None:
    if depth_window is not None and not 0 <= depth_window[0] < depth_window[1] <= 65535:
        raise DataError(
            f"depth_window must be two grey levels 0 <= low < high <= 65535, got {tuple(depth_window)}; "
            "for 12-bit data use (0, 4095)"
        )


def _header(path: Path) -> tuple[int, int, int]:
    with Image.open(path, formats=_FORMATS) as image:
        bits = 16 if image.mode.startswith("I") else 8
        if image.format == "PNG":
            # Pillow hides the depth of 16-bit colour; the header chunk has it in byte 24.
            with path.open("rb") as stream:
                bits = stream.read(25)[24]
        return image.width, image.height, bits


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}


def _tiff_header(path: Path) -> tuple[int, int, int]:
    with tifffile.TiffFile(path) as file:
        pages: list[Any] = [page for page in file.pages if not _is_thumbnail(page)]
        if len(pages) != 1:
            raise DataError(f"{path} must hold one page, got {len(pages)}; export one file per page")
        page = pages[0]
        if page.sampleformat != 1 or page.bitspersample > 16:
            raise DataError(
                f"{path} must hold unsigned whole numbers of at most 16 bit, got {page.dtype}; export it as 8 or 16 bit"
            )
        return int(page.imagewidth), int(page.imagelength), int(page.bitspersample)


def _is_thumbnail(page: Any) -> bool:
    return bool((page.subfiletype or 0) & 1)


def _decode(path: Path) -> npt.NDArray[Any]:
    """Return all pixels, HW or HWC with C in the order blue, green, red."""
    bits = image_header(path)[2]
    try:
        if not _is_tiff(path):
            # OpenCV fills what is missing of a truncated JPEG with grey and says nothing: Pillow raises.
            with Image.open(path, formats=_FORMATS) as image:
                image.load()
                if bits == 8:
                    if image.mode in {"1", "L", "LA"}:
                        return np.asarray(image.convert("L"))
                    # By way of RGBA, or Pillow warns about palettes with transparency.
                    return np.asarray(image.convert("RGBA" if image.mode == "P" else "RGB"))[..., 2::-1]
        decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, ValueError, SyntaxError, cv2.error) as error:
        if getattr(error, "code", None) == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        raise _unreadable(path, error) from error
    if decoded is None or decoded.ndim < 2 or decoded.size == 0 or decoded.dtype not in (np.uint8, np.uint16):
        raise _unreadable(path, "truncated, or a variant that OpenCV does not know")
    # OpenCV moves packed 10, 12 and 14 bit to the top of its 16; a window counts from the bottom.
    return np.right_shift(decoded, 16 - bits) if 8 < bits < 16 else np.asarray(decoded)


def _to_grey(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if pixels.ndim == 2:
        return pixels
    code = {3: cv2.COLOR_BGR2GRAY, 4: cv2.COLOR_BGRA2GRAY}.get(pixels.shape[2])
    return np.asarray(pixels[..., 0] if code is None else cv2.cvtColor(np.ascontiguousarray(pixels), code))


def _unreadable(path: Path, reason: object) -> DataError:
    return DataError(f"{path} {_WHOLE} ({reason}); {_REMEDY}")

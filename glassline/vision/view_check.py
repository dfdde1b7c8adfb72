"""Whether the images of a view can tell what repeats: large enough, and each an exposure of its own."""

import zlib
from collections.abc import Sequence

from glassline.errors import DataError
from glassline.vision.view_spool import ViewImages

#: Shortest side of an image, that of the shorter line that is looked for.
LEAST_PX = 16
# In copies of an image all of it repeats, its noise too; of a few of them the other images make little.
_COPIES = 0.1
_BAND_PX = 512


def check_size(images: ViewImages) -> None:
    """Refuse images that are smaller than what is looked for.

    Raises:
        DataError: They are.
    """
    height, width = images.size_px
    if min(height, width) < LEAST_PX:
        raise DataError(
            f"images must be {LEAST_PX} px or more each way, got {width} x {height} of {images.name}; take whole ones"
        )


def check_copies(images: ViewImages, windows: Sequence[range]) -> None:
    """Refuse windows in which more than a tenth of the images are copies of others.

    Args:
        images: The view, loaded.
        windows: Numbers of the images that are looked at together.

    Raises:
        DataError: There is such a window; names two images.
    """
    sums = [_checksum(images, number) for number in range(len(images.names))]
    for window in windows:
        first: dict[int, int] = {}
        copies = [
            (number, first[sums[number]]) for number in window if first.setdefault(sums[number], number) != number
        ]
        if len(copies) > _COPIES * len(window):
            copy, original = (images.names[number] for number in copies[0])
            raise DataError(
                f"images of {images.name} must each be an exposure of its own, got {len(copies)} copies among the "
                f"{len(window)} from {images.names[window[0]]} on ({copy} is {original}); take them and blank ones out"
            )


def _checksum(images: ViewImages, number: int) -> int:
    height, found = images.size_px[0], 0
    for top in range(0, height, _BAND_PX):
        found = zlib.crc32(images.rows(number, top, min(top + _BAND_PX, height)).data, found)
    return found

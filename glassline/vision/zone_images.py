"""Grey images of whatever a table of images refers to: files under its root, or zones of captures."""

from collections.abc import Callable
from functools import cache
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.images import read_grey, to_eight_bit
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.bayer import grey_of_states

Grey = npt.NDArray[np.uint8]


def grey_reader(root: str, depth_window: tuple[int, int] | None, light_state: int | None) -> Callable[[str], Grey]:
    """Return the function that reads an image of a table as 8-bit grey; it may be called from several threads.

    Args:
        root: The table's root, a folder or an S3 URL of images or of captures.
        depth_window: Grey levels [low, high] that become 0 and 255 where there are more than 8 bit.
        light_state: Index of the light state to look at in captures; None takes the maximum over all.

    Returns:
        A function from a row's `image` (`a/b.png`, or a zone such as `G0001.zarr/clean-03`) to grey (H, W). It
        raises DataError for what cannot be read, and for more than 8 bit without a stated window.
    """

    files = open_store(root)

    @cache
    def captures() -> Captures:
        return open_captures(root)

    def read(image: str) -> Grey:
        if PurePosixPath(image).parent.suffix == ".zarr":
            return read_zone(captures(), ZoneRef.of_path(image), depth_window, light_state)
        if light_state is not None:
            raise DataError(
                f"{image} is no capture: it has one light state and light_state must be left out, got {light_state}"
            )
        with files.opened(image) as path:
            return read_grey(path, depth_window)

    return read


def read_zone(captures: Captures, ref: ZoneRef, depth_window: tuple[int, int] | None, light_state: int | None) -> Grey:
    """Read a zone as 8-bit grey; see `grey_reader`."""
    meta = captures.meta(ref)
    frames_SHW = captures.read(ref)
    try:
        grey_HW = grey_of_states(frames_SHW, meta.pattern, light_state)
    except DataError as error:
        raise DataError(f"{ref.path}: {error}") from error
    return grey_HW.astype(np.uint8) if meta.bit_depth == 8 else to_eight_bit(grey_HW, depth_window, ref.path)

"""Images of one view, decoded once each and then read by bands of rows, in memory that does not grow with them.

Uncompressed TIFF and .npy of 8 bit are read where they lie on a disk; all else goes into an unnamed file of the
temporary folder.
Shapes: H x W pixels.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from glassline.data.captures.window import Window
from glassline.data.image_windows import open_image
from glassline.data.images import image_header, read_mosaic
from glassline.data.store import Store
from glassline.errors import DataError, StorageError

Levels = npt.NDArray[Any]


class ViewImages:
    """The images of one view, in the order in which they were taken; a context that removes its temporary file."""

    def __init__(
        self, name: str, names: Sequence[str], read: Callable[[int], Levels],
        mapped: Callable[[int], tuple[int, int] | None], bands: Callable[[int, int, int], Levels],
    ) -> None:  # fmt: skip
        """Remember how images are read; none is yet.

        Args:
            name: What the view is called.
            names: What each image is called, unique in its view.
            read: Returns the grey levels (H, W) of an image, uint8 or uint16.
            mapped: Returns height and width of an image of 8 bit that can be read by bands from where it lies, or None.
            bands: Reads rows [top, bottom) of such an image.
        """
        self.name, self.names = name, tuple(names)
        self._read, self._mapped, self._bands = read, mapped, bands
        self._places: list[int | None] = []
        self._file: IO[bytes] | None = None
        self._dtype: Any = np.uint8
        self.size_px, self.highest = (0, 0), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def load(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Decode every image once.

        Raises:
            DataError: An image cannot be read, or differs from the first in size or depth; names it.
            StorageError: The temporary folder is full.
        """
        for number in range(len(self.names)):
            self._load(number)
            if progress:
                progress(number + 1, len(self.names))

    def _load(self, number: int) -> None:
        size = self._mapped(number)
        levels = self._read(number) if size is None else None
        kind = np.dtype(np.uint8) if levels is None else levels.dtype
        size = size or levels.shape  # type: ignore[union-attr]
        if number == 0:
            self.size_px, self._dtype = size, kind
        if size != self.size_px or kind != self._dtype:
            first, this = (f"{one[1]} x {one[0]} px of {8 * of.itemsize} bit" for one, of in
                           ((self.size_px, self._dtype), (size, kind)))  # fmt: skip
            raise DataError(
                f"images of one view must be of one size and depth, {first} as {self.names[0]}, got {this} of "
                f"{self.names[number]}; keep each view in a folder of its own"
            )
        self._places.append(None if levels is None else self._written(levels))
        self.highest = max(self.highest, 255 if levels is None else int(levels.max()))

    def _written(self, levels: Levels) -> int:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="glassline-view-")  # noqa: SIM115 - closed with the view
        place = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(np.ascontiguousarray(levels).data)
            self._file.flush()
        except OSError as error:
            raise StorageError(
                f"the temporary folder {tempfile.gettempdir()} must have room for {len(self.names)} decoded images of "
                f"{levels.nbytes / 1e6:.0f} MB ({error.strerror}); free some or set TMPDIR to another"
            ) from error
        return place

    def rows(self, number: int, top: int, bottom: int) -> Levels:
        """Return rows [top, bottom) of an image in grey levels (rows, W), uint8 or uint16."""
        place = self._places[number]
        if place is None:
            return self._bands(number, top, bottom)
        assert self._file is not None
        width = self.size_px[1]
        item = np.dtype(self._dtype).itemsize
        content = os.pread(self._file.fileno(), (bottom - top) * width * item, place + top * width * item)
        return np.frombuffer(content, self._dtype).reshape(bottom - top, width)


def view_of_files(name: str, files: Sequence[str], place: Store) -> ViewImages:
    """Return the images of some files; colour is turned into grey, more than 8 bit stays as deep as it is.

    Args:
        name: What the view is called.
        files: Image files in the order in which they were taken.
        place: Where they lie.
    """

    def read(number: int) -> Levels:
        with place.opened(files[number]) as path:
            if not _wide(path):
                return open_image(path, False, None).whole()
            return _read_npy(path) if path.suffix.lower() == ".npy" else read_mosaic(path)

    def mapped(number: int) -> tuple[int, int] | None:
        path = place.folder / files[number]
        if "://" in place.url or path.suffix.lower() not in (".npy", ".tif", ".tiff") or _wide(path):
            return None
        image = open_image(path, False, None)
        return image.size_px if image.mapped else None

    def bands(number: int, top: int, bottom: int) -> Levels:
        # Opened anew for each band: what was mapped before no longer counts as memory in use.
        image = open_image(place.folder / files[number], False, None)
        return np.array(image.read(Window(0, top, image.size_px[1], bottom - top)))

    return ViewImages(name, [PurePosixPath(file).name for file in files], read, mapped, bands)


def _wide(path: Path) -> bool:
    """Return whether an image has more than 8 bit."""
    if path.suffix.lower() != ".npy":
        return image_header(path)[2] > 8
    try:
        return bool(np.load(path, mmap_mode="r", allow_pickle=False).dtype == np.uint16)
    except (OSError, ValueError, EOFError):  # whoever opens it says what is wrong
        return False


def _read_npy(path: Path) -> Levels:
    levels = np.load(path, allow_pickle=False)
    if levels.ndim != 2 or not levels.size:
        raise DataError(f"{path} must hold grey levels (H, W) of 16 bit, got {levels.shape}; save it so")
    return np.asarray(levels, np.uint16)

"""The chunks of a zone, in the form that any Zarr v3 reader knows: bytes, Blosc, CRC32C.

They are coded here and not by Zarr's reader: that one takes a missing chunk for darkness, and its client
of object stores hangs in forked loader workers.

Shapes: S light states x H x W pixels, uint16.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import google_crc32c
import numpy as np
import numpy.typing as npt
from numcodecs import blosc

from glassline.data.captures.meta import ZoneMeta

Frames = npt.NDArray[np.uint16]
T = TypeVar("T")
U = TypeVar("U")

#: Edge of a chunk; a chunk holds every light state of its window.
CHUNK_PX = 512

#: A block is the plane of one light state, low bytes apart from high ones.
_BLOSC = {"cname": "zstd", "clevel": 1, "shuffle": "shuffle", "typesize": 2, "blocksize": 2 * CHUNK_PX**2}
_CODECS = ("bytes", "blosc", "crc32c")


@dataclass(frozen=True)
class Grid:
    """How an array is cut into chunks.

    Attributes:
        shape_SHW: The array's.
        chunk_SHW: A chunk's; chunks at the right and lower edge are filled up with 0.
    """

    shape_SHW: tuple[int, int, int]
    chunk_SHW: tuple[int, int, int]

    @classmethod
    def of(cls, shape_SHW: tuple[int, int, int]) -> "Grid":
        """Return how a new zone is cut."""
        states, height_px, width_px = shape_SHW
        return cls(shape_SHW, (states, min(CHUNK_PX, height_px), min(CHUNK_PX, width_px)))

    @classmethod
    def parse(cls, told: dict[str, Any]) -> "Grid":
        """Return what a zarr.json tells.

        Raises:
            ValueError: It tells of another form than a zone's.
        """
        form = (
            told["data_type"], tuple(codec["name"] for codec in told["codecs"]), told["codecs"][0]["configuration"],
            told["chunk_grid"]["name"], told["chunk_key_encoding"],
        )  # fmt: skip
        keys = {"name": "default", "configuration": {"separator": "/"}}
        if form != ("uint16", _CODECS, {"endian": "little"}, "regular", keys):
            raise ValueError(f"it is coded as {form}")
        shape, chunk = tuple(told["shape"]), tuple(told["chunk_grid"]["configuration"]["chunk_shape"])
        if len(shape) != 3 or len(chunk) != 3 or chunk[0] != shape[0] or min(*shape, *chunk) < 1:
            raise ValueError(f"it has shape {shape} in chunks of {chunk}")
        return cls(shape, chunk)

    def chunks(self, y_px: int, x_px: int, height_px: int, width_px: int) -> Iterator[tuple[str, int, int]]:
        """Yield name and first row and column of every chunk that a window touches."""
        _, edge_y, edge_x = self.chunk_SHW
        for row in range(y_px // edge_y, (y_px + height_px - 1) // edge_y + 1):
            for column in range(x_px // edge_x, (x_px + width_px - 1) // edge_x + 1):
                yield f"c/0/{row}/{column}", row * edge_y, column * edge_x


def array_json(meta: ZoneMeta, grid: Grid) -> bytes:
    """Return the zarr.json of a zone."""
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec
    from zarr.storage import MemoryStore

    files: dict[str, Any] = {}
    zarr.create_array(
        MemoryStore(files), shape=grid.shape_SHW, chunks=grid.chunk_SHW, dtype="uint16", fill_value=0,
        compressors=[BloscCodec(**_BLOSC), Crc32cCodec()],  # type: ignore[arg-type]
        dimension_names=("state", "y", "x"), attributes=meta.model_dump(mode="json"), zarr_format=3,
    )  # fmt: skip
    return bytes(files["zarr.json"].to_bytes())


def encode(frames_SHW: Frames, grid: Grid, y_px: int, x_px: int) -> bytes:
    """Return the chunk whose first pixel is at (y_px, x_px)."""
    _, height_px, width_px = grid.chunk_SHW
    part_SHW = frames_SHW[:, y_px : y_px + height_px, x_px : x_px + width_px]
    chunk_SHW = np.zeros(grid.chunk_SHW, "<u2")
    chunk_SHW[:, : part_SHW.shape[1], : part_SHW.shape[2]] = part_SHW
    coded: bytes = blosc.compress(
        chunk_SHW.view("u1"), b"zstd", _BLOSC["clevel"], blosc.SHUFFLE, _BLOSC["blocksize"], _BLOSC["typesize"]
    )
    return coded + _crc32c(coded)


def decode(content: bytes, grid: Grid) -> Frames:
    """Return the pixels of a chunk.

    Raises:
        ValueError: The bytes are not those that were written.
    """
    coded = np.frombuffer(content, np.uint8)[:-4]
    if _crc32c(coded) != content[-4:]:
        raise ValueError(f"its checksum is wrong, {len(content)} bytes")
    # Bytes 4 to 8 of Blosc's header: the size before compression.
    if int.from_bytes(content[4:8], "little") != 2 * int(np.prod(grid.chunk_SHW)):
        raise ValueError("it holds another number of pixels")
    return np.frombuffer(blosc.decompress(coded), "<u2").reshape(grid.chunk_SHW)


def _crc32c(coded: bytes | npt.NDArray[np.uint8]) -> bytes:
    return int(google_crc32c.value(coded)).to_bytes(4, "little")


def in_parallel(call: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Return call(item) of every item, several at a time; a single one in this thread."""
    listed = list(items)
    return list(map(call, listed)) if len(listed) < 2 else list(_pool(os.getpid()).map(call, listed))


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of this process: a forked one has none of its parent's."""
    return ThreadPoolExecutor(8, thread_name_prefix="chunks")

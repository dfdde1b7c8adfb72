"""Patches in shards: .npy files of equal patches, read by range, a bounded number of files open.

600,000 patches of 112 x 112 are 147 files of 51 MB. A batch is read with `pread` at each row's offset:
nothing is mapped or held, so memory stays that of one batch, and forked loader workers share no state.

Shapes: N patches, H x W pixels, uint8.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glassline.data.location.base import NotThereError
from glassline.data.store import Store, open_store
from glassline.errors import DataError

ROWS_PER_SHARD = 4096
_OPEN_FILES = 32


class ShardWriter:
    """Append patches; every full shard goes to disk at once, so memory stays that of one shard.

    Write into a folder from `storage.written_whole`, so that a crash leaves nothing to trust.
    """

    def __init__(self, folder: Path, prefix: str, patch_px: int) -> None:
        """Create the folder.

        Args:
            folder: Where the shards go.
            prefix: File name prefix: `patch` or `mask`.
            patch_px: Edge of a patch in pixels.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._prefix, self._patch_px = folder, prefix, patch_px
        self._pending: list[npt.NDArray[np.uint8]] = []
        self._written = 0

    def append(self, patch_HW: npt.NDArray[np.uint8]) -> tuple[int, int]:
        """Add one patch and return its (shard, row)."""
        if patch_HW.shape != (self._patch_px, self._patch_px) or patch_HW.dtype != np.uint8:
            raise DataError(
                f"a patch must be uint8 of {self._patch_px} x {self._patch_px} px, got {patch_HW.dtype} of "
                f"{patch_HW.shape}; resize it before it is stored"
            )
        place = divmod(self._written, ROWS_PER_SHARD)
        self._pending.append(patch_HW)
        self._written += 1
        if len(self._pending) == ROWS_PER_SHARD:
            self._flush()
        return place

    def close(self) -> None:
        """Write the last, shorter shard."""
        if self._pending:
            self._flush()

    def _flush(self) -> None:
        shard = (self._written - 1) // ROWS_PER_SHARD
        patches_NHW = np.stack(self._pending)
        header = np.lib.format.header_data_from_array_1_0(patches_NHW)
        # Not np.save: on a full disk its error carries no errno, so that nobody could tell the user why.
        with open(self._folder / f"{self._prefix}-{shard:05d}.npy", "wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            stream.write(patches_NHW.data)
        self._pending = []


class ShardReader:
    """Read patches by (shard, row); picklable, so that loader workers can carry it.

    A shard in S3 is fetched whole on first use, once for all workers of a machine.
    """

    def __init__(self, root: str | Path, prefix: str) -> None:
        """Remember the folder, or S3 URL; files open on first use."""
        self._store, self._prefix = open_store(root), prefix
        self._open: OrderedDict[int, tuple[int, int, tuple[int, ...]]] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"_store": self._store, "_prefix": self._prefix, "_open": OrderedDict()}

    def read(self, shards_B: Iterable[int], rows_B: Iterable[int]) -> npt.NDArray[np.uint8]:
        """Return the patches (B, H, W) uint8 in the order asked for.

        Raises:
            DataError: A shard is missing, truncated or no .npy file, or a row lies outside it.
        """
        return np.stack([self._one(int(shard), int(row)) for shard, row in zip(shards_B, rows_B, strict=True)])

    def _one(self, shard: int, row: int) -> npt.NDArray[np.uint8]:
        handle, offset, shape = self._handle(shard)
        if not 0 <= row < shape[0]:
            raise DataError(f"row must be in 0..{shape[0] - 1} of shard {shard} in {self._store.url}, got {row}")
        size = shape[1] * shape[2]
        return np.frombuffer(os.pread(handle, size, offset + row * size), np.uint8).reshape(shape[1:])

    def _handle(self, shard: int) -> tuple[int, int, tuple[int, ...]]:
        if shard in self._open:
            self._open.move_to_end(shard)
            return self._open[shard]
        entry = _open_shard(self._store, f"{self._prefix}-{shard:05d}.npy")
        self._open[shard] = entry
        if len(self._open) > _OPEN_FILES:
            os.close(self._open.popitem(last=False)[1][0])
        return entry

    def close(self) -> None:
        """Close the files that are open."""
        while self._open:
            os.close(self._open.popitem()[1][0])

    def __del__(self) -> None:
        self.close()


def _open_shard(store: Store, name: str) -> tuple[int, int, tuple[int, ...]]:
    """Return (file descriptor, offset of the first patch, shape), size checked against the header."""
    remedy, url = "delete its folder and run extract_candidates again", f"{store.url}/{name}"
    try:
        path = store.file(name)
    except NotThereError as error:
        raise DataError(f"{url} must be a readable shard of patches ({error}); {remedy}") from error
    try:
        with open(path, "rb") as stream:
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):
                raise DataError(f"{url} must be a .npy file of version 1.0, got {version}; {remedy}")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            offset = stream.tell()
    except (OSError, ValueError) as error:
        raise DataError(f"{url} must be a readable shard of patches ({error}); {remedy}") from error
    expected = offset + int(np.prod(shape))
    if dtype != np.uint8 or path.stat().st_size != expected:
        raise DataError(f"{url} must be {expected} bytes of uint8, got {path.stat().st_size} of {dtype}; {remedy}")
    return os.open(path, os.O_RDONLY), offset, tuple(shape)

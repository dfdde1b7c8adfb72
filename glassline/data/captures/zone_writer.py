"""Write one zone, whole or not at all.

On a disk a zone is written into a hidden folder beside its place and renamed. In an object store its
manifest is written last, and a zone without one is not there. What a killed writer left is cleaned when
the zone is written again.

Shapes: S light states x H x W pixels, uint16.
"""

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from zarr.storage import LocalStore, WrapperStore

from glassline.data.captures.manifest import MANIFEST, FileSum, Manifest
from glassline.data.captures.meta import ZoneMeta
from glassline.data.location import Location
from glassline.errors import DataError, StorageError

if TYPE_CHECKING:
    from zarr.abc.store import Store
    from zarr.core.buffer import Buffer

#: Edge of a chunk; a chunk holds every light state of its window.
CHUNK_PX = 512

GROUP = b'{"zarr_format": 3, "node_type": "group", "attributes": {}}'


class _Summing(WrapperStore):  # type: ignore[type-arg]
    """A Zarr store that remembers size and digest of every file on its way through."""

    def __init__(self, store: "Store") -> None:
        super().__init__(store)
        self.files: dict[str, FileSum] = {}

    async def set(self, key: str, value: "Buffer") -> None:
        self.files[key] = await asyncio.to_thread(lambda: FileSum.of(value.to_bytes()))
        await super().set(key, value)


def write_zone(location: Location, meta: ZoneMeta, frames_SHW: npt.NDArray[np.uint16]) -> None:
    """Write a zone that is not there yet.

    Args:
        location: The captures.
        meta: How it was taken.
        frames_SHW: Its frames, checked.

    Raises:
        DataError: The zone is there, or another process writes it right now.
        StorageError: The disk is full or refuses.
    """
    path = meta.ref.path
    if location.exists(f"{path}/{MANIFEST}"):
        raise exists(meta)
    if not location.exists(f"{meta.glass}.zarr/zarr.json"):
        location.write(f"{meta.glass}.zarr/zarr.json", GROUP)
    if location.url.startswith("s3://"):
        place = location.below(path)
        for entry in place.entries():
            place.remove(entry.name)
        manifest = _write_array(place.zarr_store(read_only=False), meta, frames_SHW)
        place.write(MANIFEST, manifest.to_bytes())
        return
    with _whole_folder(Path(location.url) / path, meta) as beside:
        manifest = _write_array(LocalStore(beside), meta, frames_SHW)
        (beside / MANIFEST).write_bytes(manifest.to_bytes())


def exists(meta: ZoneMeta) -> DataError:
    """Return the error for a zone that is there."""
    return DataError(
        f"{meta.ref.path} must be written once, got a second one; remove the zone or give the glass another id"
    )


def _write_array(store: "Store", meta: ZoneMeta, frames_SHW: npt.NDArray[np.uint16]) -> Manifest:
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec

    states, height_px, width_px = frames_SHW.shape
    summing = _Summing(store)
    # Four bytes a word keep the two Bayer colours of a row apart; a block is one light state's plane.
    blosc = BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=4, blocksize=2 * CHUNK_PX * CHUNK_PX)
    array = zarr.create_array(
        summing,
        shape=frames_SHW.shape,
        chunks=(states, min(CHUNK_PX, height_px), min(CHUNK_PX, width_px)),
        dtype="uint16",
        compressors=[blosc, Crc32cCodec()],
        fill_value=0,
        dimension_names=("state", "y", "x"),
        attributes=meta.model_dump(mode="json"),
        # A dark chunk is written too: a missing one is damage, not darkness.
        config={"write_empty_chunks": True},
        zarr_format=3,
    )
    array[:] = frames_SHW
    return Manifest(meta.ref.path, dict(summing.files))


@contextmanager
def _whole_folder(target: Path, meta: ZoneMeta) -> Iterator[Path]:
    """Yield a hidden folder beside the target, locked and empty; rename it into place on success."""
    beside = target.with_name(f".{target.name}.partial")
    try:
        beside.mkdir(exist_ok=True)
        descriptor = os.open(beside, os.O_RDONLY)
        try:
            _lock(descriptor, beside, meta)
            _empty(beside)
            yield beside
            beside.rename(target)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _told(error, target, meta) from error


def _lock(descriptor: int, beside: Path, meta: ZoneMeta) -> None:
    """Keep other writers out for as long as this process lives; a killed one's lock is gone with it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine = os.stat(beside).st_ino == os.fstat(descriptor).st_ino
    except (BlockingIOError, FileNotFoundError):
        mine = False
    if not mine:
        raise DataError(f"{meta.ref.path} must have one writer, got two at a time; stop one of them")


def _empty(folder: Path) -> None:
    for found in folder.iterdir():
        if found.is_dir():
            shutil.rmtree(found)
        else:
            found.unlink()


def _told(error: OSError, target: Path, meta: ZoneMeta) -> Exception:
    if isinstance(error, StorageError):
        return error
    if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
        return exists(meta)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"{target} needs more space than its disk has ({error.strerror}); free some and capture the zone again"
        )
    return StorageError(f"{target} must be in a folder that may be written ({error}); check its rights and the disk")

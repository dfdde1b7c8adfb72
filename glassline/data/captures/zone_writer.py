"""Write one zone, whole or not at all.

On a disk a zone is written into a hidden folder beside its place and renamed. In an object store its
manifest is written last, and a zone without one is not there. What a killed writer left is cleaned when
the zone is written again.

Shapes: S light states x H x W pixels, uint16.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from glassline.data.captures.chunks import Frames, Grid, array_json, encode, in_parallel
from glassline.data.captures.manifest import MANIFEST, FileSum, Manifest
from glassline.data.captures.meta import ZoneMeta
from glassline.data.location import Location
from glassline.errors import DataError, StorageError

GROUP = b'{"zarr_format": 3, "node_type": "group", "attributes": {}}'


def write_zone(location: Location, meta: ZoneMeta, frames_SHW: Frames) -> None:
    """Write a zone that is not there yet.

    Args:
        location: The captures.
        meta: How it was taken.
        frames_SHW: Its frames.

    Raises:
        DataError: Frames and meta do not agree, a pixel has more significant bits than stated, the zone is there, or
            another process writes it right now.
        StorageError: The disk is full or refuses.
    """
    _check_frames(meta, frames_SHW)
    path = meta.ref.path
    if location.exists(f"{path}/{MANIFEST}"):
        raise _exists(meta)
    if not location.exists(f"{meta.glass}.zarr/zarr.json"):
        location.write(f"{meta.glass}.zarr/zarr.json", GROUP)
    if location.url.startswith("s3://"):
        place = location.below(path)
        for entry in place.entries():
            place.remove(entry.name)
        _write_files(place.write, meta, frames_SHW)
        return
    with _whole_folder(Path(location.url) / path, meta) as beside:
        _write_files(lambda name, content: _write_file(beside / name, content), meta, frames_SHW)


def _check_frames(meta: ZoneMeta, frames_SHW: Frames) -> None:
    states = len(meta.azimuths_deg)
    if frames_SHW.dtype != np.uint16 or frames_SHW.ndim != 3 or frames_SHW.size == 0 or len(frames_SHW) != states:
        raise DataError(
            f"frames of {meta.ref.path} must be uint16 of {states} light states x height x width, got "
            f"{frames_SHW.dtype} of {frames_SHW.shape}; mend the frames or the azimuths"
        )
    brightest, most = int(frames_SHW.max()), 2**meta.bit_depth - 1
    if brightest > most:
        raise DataError(
            f"a pixel of {meta.ref.path} must be <= {most} at {meta.bit_depth} bit, got {brightest}; "
            "mend bit_depth or shift the frames"
        )


def _write_files(write: Callable[[str, bytes], None], meta: ZoneMeta, frames_SHW: Frames) -> None:
    """Write every file of a zone, the manifest last."""
    grid = Grid.of((frames_SHW.shape[0], frames_SHW.shape[1], frames_SHW.shape[2]))

    def write_chunk(chunk: tuple[str, int, int]) -> tuple[str, FileSum]:
        name, y_px, x_px = chunk
        content = encode(frames_SHW, grid, y_px, x_px)
        write(name, content)
        return name, FileSum.of(content)

    told = array_json(meta, grid)
    write("zarr.json", told)
    sums = in_parallel(write_chunk, grid.chunks(0, 0, *frames_SHW.shape[1:]))
    manifest = Manifest(meta.ref.path, {"zarr.json": FileSum.of(told), **dict(sums)})
    write(MANIFEST, manifest.to_bytes())


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _exists(meta: ZoneMeta) -> DataError:
    """Return the error for a zone that is there."""
    return DataError(
        f"{meta.ref.path} must be written once, got a second one; remove the zone or give the glass another id"
    )


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
        return _exists(meta)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"{target} needs more space than its disk has ({error.strerror}); free some and capture the zone again"
        )
    return StorageError(f"{target} must be in a folder that may be written ({error}); check its rights and the disk")

"""A folder of this machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from glassline.data.location.base import Entry, Location, checked_name, disk_answers
from glassline.data.storage import written_whole

if TYPE_CHECKING:
    from zarr.abc.store import Store


class LocalFolder(Location):
    """A place on a disk. Zarr's own store serves it: as fast as obstore's for patches, and its writes are renamed."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder; it need not be there."""
        self._folder = folder
        self.url = str(folder)

    def below(self, name: str) -> "LocalFolder":
        """Return the place `name` under this one, whether or not anything is there."""
        return LocalFolder(self._path(name))

    def entries(self) -> Iterator[Entry]:
        """Yield every file below, sorted by name; hidden ones are left out, links to folders not followed."""
        return _entries(self._folder, "")

    def folders(self) -> list[str]:
        """Return the names of the direct folders, sorted, without hidden ones."""
        return sorted(found.name for found in _visible(self._folder) if found.is_dir())

    def exists(self, name: str) -> bool:
        """Return whether the file `name` is there."""
        return self._path(name).is_file()

    def read(self, name: str) -> bytes:
        """Return a file's bytes; a missing one is a StorageError."""
        with disk_answers(self._path(name)):
            return self._path(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all, over an older one."""
        with disk_answers(self._path(name)), written_whole(self._path(name)) as beside:
            beside.write_bytes(content)

    def upload(self, source: Path, name: str) -> None:
        """Copy a file of this machine here, whole or not at all."""
        _copy(source, self._path(name))

    def download(self, name: str, target: Path) -> None:
        """Copy a file of this folder elsewhere, whole or not at all."""
        _copy(self._path(name), target)

    def remove(self, name: str) -> None:
        """Delete a file; a missing one is no error."""
        with disk_answers(self._path(name)):
            self._path(name).unlink(missing_ok=True)

    def zarr_store(self, read_only: bool = True) -> "Store":
        """Return a Zarr store rooted here."""
        from zarr.storage import LocalStore

        return LocalStore(self._folder, read_only=read_only)

    def _path(self, name: str) -> Path:
        return self._folder / checked_name(name)


def _copy(source: Path, target: Path) -> None:
    with (
        disk_answers(source),
        open(source, "rb") as stream,
        written_whole(target) as beside,
        open(beside, "wb") as copy,
    ):
        shutil.copyfileobj(stream, copy, 1 << 20)


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder; nothing when it is missing, as nothing lies under a prefix without objects."""
    with disk_answers(folder):
        if not folder.exists():
            return []
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(".")]


def _entries(folder: Path, prefix: str) -> Iterator[Entry]:
    """Yield files in the order of their whole names, where `a-b` stands before `a/b`, holding one folder in memory."""
    for found in sorted(_visible(folder), key=lambda entry: entry.name + "/" * entry.is_dir(follow_symlinks=False)):
        if found.is_dir(follow_symlinks=False):
            yield from _entries(folder / found.name, f"{prefix}{found.name}/")
        elif found.is_file():
            with disk_answers(folder / found.name):
                size_bytes = found.stat().st_size
            yield Entry(prefix + found.name, size_bytes)

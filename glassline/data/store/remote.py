"""A store in S3. Readers find a kept folder by its marker, which is written last.

    NAME/whole              the SHA-256 of the folder, names and contents
    NAME/<SHA-256>/file     its files

Who is killed while sending leaves files that no marker names; two writers of one name write under different sums, or
the same files.
"""

import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from glassline.data.location import Location, open_location
from glassline.data.location.base import NotThereError, checked_name, disk_answers
from glassline.data.storage import folder_hash, written_whole
from glassline.data.store.base import Store, check_holds_files
from glassline.data.store.fetched import told_as
from glassline.data.store.scratch import alone, recent_files, room_for, scratch
from glassline.errors import StorageError

_WHOLE = "whole"
_AT_ONCE = 8


class S3Store(Store):
    """A prefix of a bucket, with a folder of this machine for what was fetched."""

    def __init__(self, location: Location) -> None:
        """Remember the prefix."""
        self._location, self.url = location, location.url
        # Remembered, so that processes that are handed this store find what this one fetched.
        self.folder = scratch() / "fetched" / location.url.removeprefix("s3://")

    def below(self, name: str) -> "S3Store":
        """Return the store `name` under this one."""
        return S3Store(self._location.below(name))

    def file(self, name: str) -> Path:
        """Return the local path of a file, fetched unless this process did so already."""
        target = self.folder / checked_name(name)
        if not target.is_file():
            with room_for(f"{self.url}/{name}"), disk_answers(target), alone(target):
                if not target.is_file():
                    self._location.download(name, target)
        return target

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """Yield the path of a copy; those read last are kept, as far as a bound allows."""
        with recent_files().opened(self._location, name) as path, told_as(path, f"{self.url}/{name}"):
            yield path

    def found(self, name: str) -> Path | None:
        """Return the local path of a file that was kept, None when it is not there."""
        try:
            return self.file(name)
        except NotThereError:
            return None

    def kept(self, name: str) -> "S3Store | None":
        """Return the folder that the marker names, None without one."""
        try:
            sha256 = self._location.read(f"{name}/{_WHOLE}").decode()
        except NotThereError:
            return None
        return self.below(f"{name}/{sha256}")

    def whole(self) -> Path:
        """Return a local folder with every file of this one, compared with the sum that names it."""
        _all_at_once(self.file, [entry.name for entry in self._location.entries()])
        if not self.folder.is_dir() or folder_hash(self.folder) != self.folder.name:
            raise StorageError(
                f"{self.url} must hold the files that were kept, got others; remove it, and they are made again"
            )
        return self.folder

    @contextmanager
    def keep(self, name: str) -> Iterator[Path]:
        """Yield a path of this machine; what is written there is sent on success."""
        made = scratch() / uuid.uuid4().hex / checked_name(name).rpartition("/")[2]
        try:
            with room_for(f"{self.url}/{name}"), written_whole(made) as beside:
                yield beside
                check_holds_files(beside, f"{self.url}/{name}")
            if made.is_dir():
                self._send_folder(made, name)
            else:
                self._location.upload(made, name)
                _move(made, self.folder / name)
        finally:
            shutil.rmtree(made.parent, ignore_errors=True)

    def _send_folder(self, made: Path, name: str) -> None:
        sha256 = folder_hash(made)
        place = self._location.below(f"{name}/{sha256}")
        files = [entry.name for entry in open_location(made).entries()]
        _all_at_once(lambda file: place.upload(made / file, file), files)
        self._location.write(f"{name}/{_WHOLE}", sha256.encode())
        target = self.folder / name / sha256
        if not target.exists():
            _move(made, target)

    def send(self, name: str) -> None:
        """Send a file that was written into `folder`."""
        self._location.upload(self.folder / name, name)

    def forget(self) -> None:
        """Remove every file here and in S3, last names first."""
        for entry in sorted(self._location.entries(), key=lambda entry: entry.name, reverse=True):
            self._location.remove(entry.name)
        shutil.rmtree(self.folder, ignore_errors=True)


def _move(made: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    made.replace(target)


def _all_at_once(work: Callable[[str], object], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(work, names))

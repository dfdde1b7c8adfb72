"""A store in a folder of this machine, or of a disk that machines share."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glassline.data.location.base import NotThereError, checked_name
from glassline.data.storage import written_whole
from glassline.data.store.base import Store, check_holds_files


class LocalStore(Store):
    """A folder: nothing is copied."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder; it need not be there."""
        self.folder, self.url = folder, str(folder)

    def below(self, name: str) -> "LocalStore":
        """Return the store `name` under this one."""
        return LocalStore(self.folder / checked_name(name))

    def file(self, name: str) -> Path:
        """Return the path of a file; a missing one is a NotThereError."""
        path = self.found(name)
        if path is None:
            raise NotThereError(f"{self.folder / name} must be an existing file, got none; check the name")
        return path

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """Yield the path of a file."""
        yield self.folder / name

    def found(self, name: str) -> Path | None:
        """Return the path of a file, None when it is not there."""
        path = self.folder / checked_name(name)
        return path if path.is_file() else None

    def kept(self, name: str) -> "LocalStore | None":
        """Return a folder; whole, because it was renamed into place."""
        place = self.below(name)
        return place if place.folder.is_dir() else None

    def whole(self) -> Path:
        """Return the folder."""
        return self.folder

    @contextmanager
    def keep(self, name: str) -> Iterator[Path]:
        """Yield a path beside, which is renamed into place."""
        with written_whole(self.folder / checked_name(name)) as beside:
            yield beside
            check_holds_files(beside, f"{self.url}/{name}")

    def send(self, name: str) -> None:
        """Do nothing: who sees the folder sees the file."""

    def forget(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

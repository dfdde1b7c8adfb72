"""What a store in a folder and one in S3 promise alike."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from glassline.data.location import open_location
from glassline.errors import StorageError


class Store(ABC):
    """Files by name, relative and with `/`. It travels between processes of a machine.

    Every method raises StorageError when the place does not answer, refuses, or is full.
    """

    #: Absolute folder, or `s3://bucket/prefix`.
    url: str
    #: Where files of the store lie on this machine: the folder itself, or what was fetched of a prefix.
    folder: Path

    @abstractmethod
    def below(self, name: str) -> "Store":
        """Return the store `name` under this one, whether or not anything is there."""

    @abstractmethod
    def file(self, name: str) -> Path:
        """Return the local path of a file; from S3 it is fetched once a process.

        Raises:
            NotThereError: It is missing.
        """

    @abstractmethod
    def opened(self, name: str) -> AbstractContextManager[Path]:
        """Yield a path that a file can be read from until the block ends; an error names the file by its URL.

        For the many and large files of which a disk cannot hold all. A missing local file is told by whoever reads it.

        Raises:
            NotThereError: It is missing in S3.
        """

    @abstractmethod
    def found(self, name: str) -> Path | None:
        """Return the local path of a file that was kept, None when it is not there."""

    @abstractmethod
    def kept(self, name: str) -> "Store | None":
        """Return a folder that was kept, None when it is not there whole."""

    def made(self, name: str, make: Callable[[Path], object]) -> "Store":
        """Return a folder that was kept; where it is not there, `make` first writes it to the path it is handed."""
        found = self.kept(name)
        if found is None:
            with self.keep(name) as beside:
                make(beside)
            found = self.kept(name)
            assert found is not None
        return found

    @abstractmethod
    def whole(self) -> Path:
        """Return a local folder with every file of this one, which was kept.

        Raises:
            StorageError: In S3, the files are not those that were kept.
        """

    @abstractmethod
    def keep(self, name: str) -> AbstractContextManager[Path]:
        """Yield a path to write a file or folder to; on success it is there for every reader, whole or not at all.

        Of two writers of one name either's whole result is found.

        Raises:
            StorageError: A folder was written that holds no file; S3 knows none.
        """

    @abstractmethod
    def send(self, name: str) -> None:
        """Make a file that was written into `folder` known to other machines, over an older one."""

    @abstractmethod
    def forget(self) -> None:
        """Remove every file of this store, here and there, last names first."""


def check_holds_files(made: Path, url: str) -> None:
    """Refuse to keep a folder that holds nothing.

    Args:
        made: The file or folder that was written.
        url: Where it is to be kept.

    Raises:
        StorageError: It is a folder without a file, hidden ones aside.
    """
    if made.is_dir() and next(open_location(made).entries(), None) is None:
        raise StorageError(f"{url} must be kept with at least one file, got an empty folder; write what was made")

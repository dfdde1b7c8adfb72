"""What a local folder and an S3 prefix promise alike."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from glassline.errors import StorageError

if TYPE_CHECKING:
    from zarr.abc.store import Store


class NotThereError(StorageError):
    """A file or object is missing."""


@dataclass(frozen=True)
class Entry:
    """One file below a location.

    Attributes:
        name: Relative to the location, with `/` between folders.
        size_bytes: Its size.
    """

    name: str
    size_bytes: int


class Location(ABC):
    """A place that holds files by name. Names are relative, use `/`, and never contain `..`.

    Every method raises StorageError with rule, value and remedy when the place does not answer, refuses,
    or is full; secrets never stand in a message.
    """

    #: Absolute folder, or `s3://bucket/prefix`.
    url: str

    @abstractmethod
    def below(self, name: str) -> "Location":
        """Return the place `name` under this one, whether or not anything is there."""

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Yield every file below, sorted by name; names with a hidden part (`.x`) are left out."""

    @abstractmethod
    def folders(self) -> list[str]:
        """Return the names of the direct folders, sorted, without hidden ones."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Return whether the file `name` is there."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file's bytes; a missing one is a StorageError."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all, over an older one."""

    @abstractmethod
    def upload(self, source: Path, name: str) -> None:
        """Copy a local file here, whole or not at all; in parts and in parallel when it is large."""

    @abstractmethod
    def download(self, name: str, target: Path) -> None:
        """Copy a file to this machine, whole or not at all."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Delete a file; a missing one is no error."""

    @abstractmethod
    def zarr_store(self, read_only: bool = True) -> "Store":
        """Return a Zarr store rooted here."""


def checked_name(name: str) -> str:
    """Return a name that stays below its location.

    Raises:
        StorageError: It is empty, absolute, or has an empty part, `.`, `..` or a zero byte.
    """
    if "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
        raise StorageError(
            f"a name in a location must be relative, like G0001.zarr/zarr.json, without an empty part, '.' or '..', "
            f"got {name!r}; mend the name"
        )
    return name


def is_hidden(name: str) -> bool:
    """Return whether a part of the name begins with a dot."""
    return any(part.startswith(".") for part in name.split("/"))


@contextmanager
def disk_answers(path: Path) -> Iterator[None]:
    """Turn what this machine's disk says of a file or folder into one StorageError."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"{path} must be a file or folder that this disk gives, got {error.strerror or error}; check name and disk"
        ) from error

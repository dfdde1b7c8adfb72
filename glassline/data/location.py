"""A local folder and an S3 prefix behind one interface; everything after the rig reads through it.

Zarr reads by way of obstore, files move by way of boto3. Credentials, region and endpoint come from
the environment only (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarr.abc.store import Store


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


def open_location(url: str | Path) -> Location:
    """Return the place that a URL or a folder names; nothing is made or contacted yet.

    Args:
        url: `s3://bucket/prefix`, or a folder.

    Raises:
        SettingsError: Another scheme, an empty bucket, or a name with `..`.
    """
    raise NotImplementedError

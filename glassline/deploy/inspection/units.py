"""What is inspected: image files, and zones or glasses of captures."""

import math
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures
from glassline.data.storage import sha256_file
from glassline.deploy.inspection.lines import Kind
from glassline.errors import DataError

#: How files start and end that can be told to be whole; what is between has checksums, or is read to its end.
_MARKS = ((b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"), (b"\xff\xd8", b"\xff\xd9"))
#: How files start that cannot be told to be whole.
_ENDLESS = (b"BM", b"II", b"MM", b"\x93NUMPY")
_ENDLESS_SUFFIXES = (".bmp", ".tif", ".tiff", ".npy")
_HEAD = 12


class Unit(Protocol):
    """Something that has a verdict."""

    @property
    def name(self) -> str:
        """How it is called in lines and errors."""

    @property
    def identity(self) -> str:
        """What tells it from all others, wherever the inspector is started."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    def signature(self) -> Any:
        """Return what changes whenever its content does; None while there is nothing."""

    def sha256(self) -> str:
        """Return the hash of its content.

        Raises:
            DataError: It is missing or cannot be read.
        """


@dataclass(frozen=True)
class ImageUnit:
    """An image file."""

    path: Path
    kind: Kind = "image"

    @property
    def name(self) -> str:
        """Its path as given; what no terminal shows is escaped."""
        return plain(str(self.path))

    @property
    def identity(self) -> str:
        """Its absolute path."""
        return os.path.abspath(self.path)

    def signature(self) -> Any:
        """Return size, time of the last change and number of the file."""
        try:
            told = os.stat(self.path)
        except (OSError, ValueError):
            return None
        return told.st_size, told.st_mtime_ns, told.st_ino

    def age_s(self) -> float:
        """Return for how many seconds it has not changed, by the clocks of this computer and of the disk."""
        look = self.signature()
        return math.inf if look is None else time.time() - look[1] / 1e9

    def ends(self) -> bool:
        """Return whether the file says itself that it is whole: a PNG or JPEG with its end mark."""
        head, tail = self._head_and_tail()
        return any(head.startswith(start) and tail.endswith(end) for start, end in _MARKS)

    def is_endless(self) -> bool:
        """Return whether it is a BMP, TIFF or .npy, or will be one when it has a start.

        Laid out at its full size, such a file reads like a whole one while it is written.
        """
        return self.path.suffix.lower() in _ENDLESS_SUFFIXES or self._head_and_tail()[0].startswith(_ENDLESS)

    def _is_regular(self) -> bool:
        """Tell whether it is a file and no pipe, which would be waited for."""
        return stat.S_ISREG(os.stat(self.path).st_mode)

    def _head_and_tail(self) -> tuple[bytes, bytes]:
        try:
            if not self._is_regular():
                return b"", b""
            with open(self.path, "rb") as stream:
                head = stream.read(_HEAD)
                stream.seek(0, os.SEEK_END)
                stream.seek(max(0, stream.tell() - _HEAD))
                return head, stream.read(_HEAD)
        except (OSError, ValueError):
            return b"", b""

    def sha256(self) -> str:
        """Return the hash of its bytes."""
        try:
            if not self._is_regular():
                raise DataError(f"{self.name} must be a file, got something else; name a file")
            return sha256_file(self.path)
        except (OSError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{self.name} must be a file that can be read ({_reason(error)}); check it") from error


@dataclass(frozen=True)
class ZoneUnit:
    """A zone of captures, as one image."""

    captures: Captures
    ref: ZoneRef
    kind: Kind = "zone"

    @property
    def name(self) -> str:
        """Where it lies below its captures."""
        return self.ref.path

    @property
    def identity(self) -> str:
        """Where it lies."""
        return f"{self.captures.location.url}/{self.ref.path}"

    def signature(self) -> Any:
        """Return its name: a whole zone is not written again."""
        return self.ref.path

    def sha256(self) -> str:
        """Return the content hash of the zone."""
        return self.captures.content_hash([self.ref])


@dataclass(frozen=True)
class GlassUnit:
    """A glass with all its zones.

    Attributes:
        captures: Where they lie.
        glass: Its id.
        zones: Whole zones.
        unfinished: Zones with files but no manifest.
    """

    captures: Captures
    glass: str
    zones: tuple[ZoneRef, ...]
    unfinished: tuple[ZoneRef, ...]
    kind: Kind = "glass"

    @property
    def name(self) -> str:
        """Its id."""
        return self.glass

    @property
    def identity(self) -> str:
        """Where it lies."""
        return f"{self.captures.location.url}/{self.glass}.zarr"

    def signature(self) -> Any:
        """Return which zones it has."""
        return self.zones, self.unfinished

    def sha256(self) -> str:
        """Return the content hash of its zones, unfinished ones by name."""
        told = self.captures.content_hash(list(self.zones)) if self.zones else ""
        return " ".join([told, *(ref.path for ref in self.unfinished)]).strip()


@dataclass(frozen=True)
class BrokenUnit:
    """What cannot even be looked at."""

    name: str
    reason: str
    identity: str
    kind: Kind = "image"

    def signature(self) -> Any:
        """Return why."""
        return self.reason

    def sha256(self) -> str:
        """Raise why."""
        raise DataError(self.reason)


def unfinished_reason(ref: ZoneRef) -> str:
    """Return why a zone without manifest is refused."""
    return f"{ref.path} must be whole, got one without manifest; wait for its upload to end, or copy it again"


def plain(name: str) -> str:
    """Return a name on one line of plain text: what is no letter of any script is escaped."""
    told = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in told)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)

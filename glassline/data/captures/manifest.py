"""The manifest of a zone: size and SHA-256 of each of its files, and one over the manifest itself."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from glassline.errors import DataError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class FileSum:
    """What a file must be.

    Attributes:
        size_bytes: Its size.
        sha256: Hex digest of its bytes.
    """

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> "FileSum":
        """Return what these bytes are."""
        return cls(len(content), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Manifest:
    """Every file of one zone.

    Attributes:
        zone: The zone's path, so that a copied manifest is found.
        files: Name below the zone to size and digest; the manifest itself left out.
    """

    zone: str
    files: dict[str, FileSum]

    @property
    def sha256(self) -> str:
        """One digest over names, sizes and digests; it stands in the file too, so that an edit by hand is found."""
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True).encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        return json.dumps({**self._content(), "sha256": self.sha256}, indent=1).encode()

    @classmethod
    def parse(cls, zone: str, content: bytes) -> "Manifest":
        """Return the manifest of a zone.

        Raises:
            DataError: It is no manifest, belongs to another zone, or does not match its own digest.
        """
        try:
            told: dict[str, Any] = json.loads(content)
            files = {name: FileSum(int(size), str(digest)) for name, (size, digest) in told["files"].items()}
            found = cls(str(told["zone"]), files)
            digest = told["sha256"]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _broken(zone, f"got one that cannot be read ({error!r:.100})") from None
        if found.zone != zone:
            raise _broken(zone, f"got that of {found.zone}")
        if found.sha256 != digest:
            raise _broken(zone, "got one that was changed after it was written")
        return found

    def _content(self) -> dict[str, Any]:
        files = {name: [entry.size_bytes, entry.sha256] for name, entry in sorted(self.files.items())}
        return {"zone": self.zone, "files": files}


def _broken(zone: str, got: str) -> DataError:
    return DataError(f"{zone} must have its own manifest.json as it was written, {got}; capture or copy the zone again")

"""The zones that one run is about: what travels from the ingest to the steps after it.

Captures of many sessions lie at one place; a run reads and checks those of its own session and no others. The list
lies hidden beside them, named by the content hash of its zones: the same zones have the same address, and
what was made of them is found in the cache.
"""

from collections.abc import Sequence

from pydantic import Field, ValidationError

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.location import open_location
from glassline.errors import DataError
from glassline.settings import Settings

_FOLDER = ".zones"


class ZoneList(Settings):
    """Zones of one place and their content hash."""

    captures: str = Field(description="folder or S3 URL of the captures")
    captures_hash: str = Field(description="content hash of the zones")
    zones: tuple[str, ...] = Field(min_length=1, description="paths of the zones, sorted")

    @property
    def url(self) -> str:
        """Where the list lies."""
        return f"{self.captures}/{_FOLDER}/{self.captures_hash}.json"

    @property
    def refs(self) -> list[ZoneRef]:
        """The zones."""
        return [ZoneRef.of_path(path) for path in self.zones]


def write_zone_list(captures: Captures, refs: Sequence[ZoneRef]) -> ZoneList:
    """Write the list of some zones, whole or not at all, and return it.

    Raises:
        DataError: There is no zone, or one is missing.
        StorageError: The place does not answer, refuses or is full.
    """
    content = captures.content_hash(list(refs))
    listed = ZoneList(
        captures=captures.location.url, captures_hash=content, zones=tuple(ref.path for ref in sorted(refs))
    )
    captures.location.write(f"{_FOLDER}/{content}.json", listed.model_dump_json().encode())
    return listed


def read_zone_list(url: str) -> tuple[Captures, list[ZoneRef]]:
    """Return the captures and the zones of a list.

    Raises:
        DataError: The file is no list of zones, or a zone is no longer the one that was listed.
        StorageError: The list is missing, or the place does not answer.
    """
    folder, _, name = url.rpartition("/")
    content = open_location(folder).read(name)
    try:
        listed = ZoneList.model_validate_json(content)
        refs = listed.refs
    except ValidationError as error:
        told = " ".join(str(error).split())
        raise DataError(f"{url} must be a list of zones, got another file ({told}); submit the run again") from None
    captures = open_captures(listed.captures)
    if (found := captures.content_hash(refs)) != listed.captures_hash:
        raise DataError(
            f"the zones in {listed.captures} must be those that were ingested: their hash was "
            f"{listed.captures_hash[:12]}, now it is {found[:12]}; submit the run again"
        )
    return captures, refs

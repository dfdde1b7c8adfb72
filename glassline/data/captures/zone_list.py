"""The zones that one run is about, by reference: what travels from the ingest to the steps after it.

Captures of many sessions lie at one place; a run reads and checks those of its own session and no others.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.settings import Settings


class ZoneList(Settings):
    """Zones of one place and their content hash."""

    captures: str = Field(description="folder or S3 URL of the captures")
    captures_hash: str = Field(description="content hash of the zones")
    zones: tuple[str, ...] = Field(min_length=1, description="paths of the zones, sorted")

    @property
    def refs(self) -> list[ZoneRef]:
        """The zones."""
        return [ZoneRef.of_path(path) for path in self.zones]


def write_zone_list(path: str | Path, captures: Captures, refs: Sequence[ZoneRef]) -> str:
    """Write the list of some zones, whole or not at all, and return their content hash.

    Raises:
        DataError: There is no zone, or one is missing.
    """
    content = captures.content_hash(list(refs))
    listed = ZoneList(
        captures=captures.location.url, captures_hash=content, zones=tuple(ref.path for ref in sorted(refs))
    )
    with written_whole(path) as beside:
        beside.write_text(listed.model_dump_json())
    return content


def read_zone_list(path: str | Path) -> tuple[Captures, list[ZoneRef]]:
    """Return the captures and the zones of a list.

    Raises:
        DataError: The file is no list of zones, or a zone is no longer the one that was listed.
    """
    try:
        listed = ZoneList.model_validate_json(Path(path).read_bytes())
        refs = listed.refs
    except (OSError, ValidationError) as error:
        raise DataError(f"{path} must be a list of zones ({error}); run ingest_captures again") from None
    captures = open_captures(listed.captures)
    if (found := captures.content_hash(refs)) != listed.captures_hash:
        raise DataError(
            f"the zones in {listed.captures} must be those that were ingested: their hash was "
            f"{listed.captures_hash[:12]}, now it is {found[:12]}; submit the run again"
        )
    return captures, refs

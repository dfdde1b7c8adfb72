"""Move a session's captures to where they are kept: whole zones, checked on the way, each sent once.

A zone's manifest is sent after everything that it lists, so that a zone is there when it is whole, and a zone
that is there is never sent again. What a killed ingest left of a zone is replaced by the next one.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from glassline.data.captures.manifest import MANIFEST, Manifest
from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.location import Location, open_location
from glassline.data.store import open_store
from glassline.errors import DataError

#: Files on their way at a time.
_AT_A_TIME = 8

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Ingested:
    """What an ingest did.

    Attributes:
        zones: Whole zones of the session.
        zones_sent: How many of them were not there yet.
        files: Files sent.
        size_bytes: Their sizes together.
        seconds: How long it took, checks included.
    """

    zones: int
    zones_sent: int
    files: int
    size_bytes: int
    seconds: float


def ingest(session: str | Path, to: str | Path, progress: Progress = lambda done, total: None) -> Ingested:
    """Send the whole zones of a session that are not there yet; hidden and half-written ones stay behind.

    Args:
        session: Folder of captures, or their S3 URL.
        to: Folder or `s3://bucket/prefix` of captures; other glasses may be there.
        progress: Called with zones done and zones in all.

    Raises:
        DataError: The session has no whole zone, a zone no longer matches its manifest (nothing of it is sent),
            or another zone of the same name is there.
        StorageError: A place does not answer, refuses, is full, or holds other bytes than were sent.
    """
    began_s = time.monotonic()
    source, target = open_captures(session), open_location(to)
    refs = source.zones()
    if not refs:
        raise DataError(f"a session must hold at least one whole zone, got none below {session}; capture it first")
    files, size_bytes = 0, 0
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        there = list(pool.map(lambda ref: _is_there(source, target, ref), refs))
        missing = [ref for ref, is_there in zip(refs, there, strict=True) if not is_there]
        progress(len(refs) - len(missing), len(refs))
        for done, ref in enumerate(missing, start=len(refs) - len(missing) + 1):
            manifest = _sound(source, ref)
            if not target.exists(group := f"{ref.glass}.zarr/zarr.json"):
                target.write(group, source.location.read(group))
            _clear(target.below(ref.path), manifest)
            _send(source, target, ref, manifest, pool)
            files += len(manifest.files) + 1
            size_bytes += sum(one.size_bytes for one in manifest.files.values()) + len(manifest.to_bytes())
            progress(done, len(refs))
    return Ingested(len(refs), len(missing), files, size_bytes, time.monotonic() - began_s)


def _is_there(source: Captures, target: Location, ref: ZoneRef) -> bool:
    """Return whether the very zone is there."""
    name = f"{ref.path}/{MANIFEST}"
    if not target.exists(name):
        return False
    if target.read(name) != source.location.read(name):
        raise DataError(
            f"{ref.path} must be sent to where no other zone has its name, got another one at {target.url}; "
            "choose another place, or give the glass another id"
        )
    return True


def _sound(source: Captures, ref: ZoneRef) -> Manifest:
    """Return the manifest of a zone whose every byte is as it was captured."""
    wrong = source.verify(ref)
    if wrong:
        raise DataError(
            f"{ref.path} must be as it was captured before it is sent, got {len(wrong)} fault(s), first: {wrong[0]}; "
            "remove the zone's folder and capture it again"
        )
    return Manifest.parse(ref.path, source.location.read(f"{ref.path}/{MANIFEST}"))


def _clear(place: Location, manifest: Manifest) -> None:
    """Remove what a killed ingest of other files left."""
    for entry in place.entries():
        if entry.name not in manifest.files:
            place.remove(entry.name)


def _send(source: Captures, target: Location, ref: ZoneRef, manifest: Manifest, pool: ThreadPoolExecutor) -> None:
    files, place = open_store(source.location.url).below(ref.path), target.below(ref.path)

    def send(name: str) -> None:
        with files.opened(name) as path:
            place.upload(path, name)

    list(pool.map(send, sorted(manifest.files)))
    send(MANIFEST)

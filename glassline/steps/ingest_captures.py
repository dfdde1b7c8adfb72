"""Move a session's captures to where they are kept."""

from glassline.data.captures.store import open_captures
from glassline.data.captures.zone_list import write_zone_list
from glassline.data.ingest import ingest
from glassline.data.location import open_location
from glassline.data.store import check_unchanged
from glassline.tracking import parent_tags, step_run


def ingest_captures(session: str, session_hash: str, captures: str) -> str:
    """Send the whole zones of a session that are not there yet, and list where they are.

    Args:
        session: Folder of captures, or their S3 URL.
        session_hash: Content hash of the session when the run was submitted; "" skips the comparison.
        captures: Folder or `s3://bucket/prefix` where captures are kept; other sessions may be there.

    Returns:
        Where the list of the session's zones lies, named by their content hash.

    Raises:
        DataError: The session changed since the run was submitted, has no whole zone, or one that no longer matches
            its manifest.
        StorageError: The place does not answer, refuses or is full.
    """
    url = open_location(captures).url  # refused before it is logged when it holds a password
    with step_run("ingest_captures", {"session": session, "captures": url}) as run:
        check_unchanged(session, session_hash, lambda: open_captures(session).content_hash(), "ingest")
        done = ingest(session, captures)
        listed = write_zone_list(open_captures(captures), open_captures(session).zones())
        run.params({"captures_hash": listed.captures_hash})
        run.metrics(
            {
                "zones": done.zones, "zones_sent": done.zones_sent, "files_sent": done.files,
                "bytes_sent": done.size_bytes, "seconds": done.seconds,
                "mb_per_s": done.size_bytes / 1e6 / max(done.seconds, 1e-9),
            }
        )  # fmt: skip
        parent_tags({"captures": url, "captures_hash": listed.captures_hash})
        return listed.url

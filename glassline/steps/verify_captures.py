"""Read every byte of the captures before anything is learned from them."""

import tempfile
from pathlib import Path

import pandas as pd

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.sheet import write_sheet
from glassline.data.captures.store import Captures, open_captures
from glassline.errors import DataError
from glassline.tracking import StepRun, step_run

#: Zones on the contact sheet, spread evenly over all.
_SHOWN = 12

#: Wrong zones that an error names.
_NAMED = 20


def verify_captures(captures: str, captures_hash: str) -> str:
    """Compare every byte of every whole zone with the zone's manifest.

    Args:
        captures: Folder or `s3://bucket/prefix` of captures.
        captures_hash: Their content hash; "" skips the comparison.

    Returns:
        The content hash.

    Raises:
        DataError: A byte has changed, a file is missing or too many, or the content hash is another; names the zones.
        StorageError: The place does not answer.
    """
    opened = open_captures(captures)
    with step_run("verify_captures", {"captures": opened.location.url, "captures_hash": captures_hash}) as run:
        refs = opened.zones()
        for ref in opened.unfinished():
            run.note(f"{ref.path} is not whole and was left out: an upload that has not ended")
        found = [_checked(opened, ref) for ref in refs]
        if found:
            run.table(pd.DataFrame(found), "zones")
        wrong = [row for row in found if row["fault"]]
        run.metrics({"zones": len(found), "zones_wrong": len(wrong)})
        _refuse(captures, wrong, len(found))
        content = opened.content_hash(refs)
        if captures_hash and content != captures_hash:
            raise DataError(
                f"{captures} must not change between ingest and verification: its hash was {captures_hash[:12]}, now "
                f"it is {content[:12]}; submit the run again"
            )
        _show(run, opened, refs)
        return content


def _checked(opened: Captures, ref: ZoneRef) -> dict[str, str]:
    """Return the row of one zone: what it is, and the first fault of it."""
    wrong = opened.verify(ref)
    meta = opened.meta(ref) if not wrong else None
    return {
        "zone": ref.path, "product": meta.product if meta else "", "cycle": meta.cycle if meta else "",
        "shape": " x ".join(map(str, opened.shape(ref))) if meta else "", "taken": meta.taken_utc if meta else "",
        "faults": str(len(wrong)), "fault": wrong[0] if wrong else "",
    }  # fmt: skip


def _refuse(captures: str, wrong: list[dict[str, str]], zones: int) -> None:
    if not zones:
        raise DataError(f"captures must have at least one whole zone, got none below {captures}; ingest a session")
    if wrong:
        names = ", ".join(row["zone"] for row in wrong[:_NAMED]) + (", …" if len(wrong) > _NAMED else "")
        raise DataError(
            f"every byte of {captures} must be as it was captured, got {len(wrong)} changed zones of {zones}: {names} "
            f"({wrong[0]['fault']}); remove and ingest them again"
        )


def _show(run: StepRun, opened: Captures, refs: list[ZoneRef]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "zones.png"
        write_sheet(opened, refs[:: -(-len(refs) // _SHOWN)], sheet)
        run.artifact(sheet, "figures")

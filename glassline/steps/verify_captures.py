"""Read every byte of the captures before anything is learned from them."""

import tempfile
from pathlib import Path

import pandas as pd

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.sheet import write_sheet
from glassline.data.captures.store import Captures
from glassline.data.captures.zone_list import read_zone_list
from glassline.errors import DataError
from glassline.tracking import StepRun, step_run

#: Zones on the contact sheet, spread evenly over all.
_SHOWN = 12

#: Wrong zones that an error names.
_NAMED = 20


def verify_captures(zones: str) -> str:
    """Compare every byte of the listed zones with their manifests.

    Args:
        zones: Where `ingest_captures` listed them.

    Returns:
        The same, once every byte is as it was captured.

    Raises:
        DataError: A byte has changed, a file is missing or too many, or a zone is another; names the zones.
        StorageError: The place does not answer.
    """
    with step_run("verify_captures", {}) as run:
        opened, refs = read_zone_list(zones)
        run.params({"captures": opened.location.url})
        found = [_checked(opened, ref) for ref in refs]
        run.table(pd.DataFrame(found), "zones")
        wrong = [row for row in found if row["fault"]]
        run.metrics({"zones": len(found), "zones_wrong": len(wrong)})
        if wrong:
            raise _changed(opened.location.url, wrong, len(found))
        _show(run, opened, refs)
        return zones


def _checked(opened: Captures, ref: ZoneRef) -> dict[str, str]:
    """Return the row of one zone: what it is, and the first fault of it."""
    wrong = opened.verify(ref)
    meta = opened.meta(ref) if not wrong else None
    return {
        "zone": ref.path, "product": meta.product if meta else "", "cycle": meta.cycle if meta else "",
        "shape": " x ".join(map(str, opened.shape(ref))) if meta else "", "taken": meta.taken_utc if meta else "",
        "faults": str(len(wrong)), "fault": wrong[0] if wrong else "",
    }  # fmt: skip


def _changed(captures: str, wrong: list[dict[str, str]], zones: int) -> DataError:
    names = ", ".join(row["zone"] for row in wrong[:_NAMED]) + (", …" if len(wrong) > _NAMED else "")
    return DataError(
        f"every byte of {captures} must be as it was captured, got {len(wrong)} changed zones of {zones}: {names} "
        f"({wrong[0]['fault']}); remove and ingest them again"
    )


def _show(run: StepRun, opened: Captures, refs: list[ZoneRef]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "zones.png"
        write_sheet(opened, refs[:: -(-len(refs) // _SHOWN)], sheet)
        run.artifact(sheet, "figures")

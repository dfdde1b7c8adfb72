"""What a product cycle tells whoever started it: exit codes, and a summary in Markdown."""

import re
from pathlib import Path

from glassline.data.location.base import NotThereError
from glassline.data.storage import written_whole
from glassline.errors import (
    DataError,
    DeviceError,
    EngineError,
    GlasslineError,
    StorageError,
    TrackingError,
)
from glassline.report.markdown import plain
from glassline.tracking.cycles import FAILED, KEPT, PROMOTED, REFUSED, read_summary, run_links

#: What kept a cycle from its end was neither its data nor its settings: the same command may do better later.
UNAVAILABLE = "unavailable"

#: Exit codes by verdict; 1 is any other error, 2 wrong usage.
EXIT_CODES = {PROMOTED: 0, KEPT: 10, REFUSED: 20, UNAVAILABLE: 30}

# Several problems in one message stand in lines of their own in the summary.
_NUMBERED = re.compile(r"[:;] (?=\(\d+\) )")

_OF_THE_MACHINE = (TrackingError, StorageError, EngineError, DeviceError)
_HEADLINES = {
    REFUSED: "data refused",
    UNAVAILABLE: "could not run: the machine, the store or the tracking server failed",
    FAILED: "failed",
}


def failure_verdict(error: GlasslineError) -> str:
    """Return what an error means for a cycle: `refused`, `unavailable` or `failed`."""
    if isinstance(error, (DataError, NotThereError)):
        return REFUSED
    return UNAVAILABLE if isinstance(error, _OF_THE_MACHINE) else FAILED


def running_summary(title: str) -> str:
    """Return what a summary says until there is one, and still does where the process was killed."""
    return f"### {plain(title)}: did not come to its end\n\n- it is running, or was killed; give the command again\n"


def failure_summary(title: str, error: GlasslineError, promoted: str = "") -> str:
    """Return the summary of a cycle that did not come to its end.

    Args:
        title: Product and cycle.
        error: What ended it.
        promoted: Version that it had made champion before, "" for none.
    """
    text = "\n".join(getattr(error, "__notes__", [])) or str(error)  # a note is what the step itself said
    lines = [line.strip() for line in _NUMBERED.sub("\n", text).splitlines() if line.strip()]
    told = "\n".join(f"- {plain(line)}" for line in lines)
    headline = _HEADLINES[failure_verdict(error)]
    if promoted:
        headline = f"version {promoted} is the champion; what comes after that {_HEADLINES[FAILED]}"
    return f"### {plain(title)}: {headline}\n\n{told}\n"


def cycle_summary(run_id: str, out: Path, again: str = "") -> str:
    """Return the summary of a cycle that ended, with links.

    Args:
        run_id: Its pipeline's run.
        out: Folder where the run's own summary is put.
        again: A line that goes before it, such as that nothing was done.
    """
    links = "\n".join(f"- {name}: {place}" for name, place in run_links(run_id).items())
    parts = [plain(again), read_summary(run_id, out).strip(), links]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_summary(text: str, path: Path | None) -> None:
    """Write a summary to a file, where one is asked for."""
    if path is not None:
        with written_whole(path) as beside:
            beside.write_text(text, encoding="utf-8")

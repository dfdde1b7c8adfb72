"""Which code a run was made with."""

import os
import subprocess
from functools import cache
from pathlib import Path


@cache
def commit() -> str:
    """Return the code version: GLASSLINE_COMMIT of an image, else the checkout's git commit, else `unknown`."""
    stated = os.environ.get("GLASSLINE_COMMIT")
    if stated:
        return stated
    here = Path(__file__).resolve().parents[2]
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()

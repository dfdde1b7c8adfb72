"""A fit that failed for good, and how the steps after it are told."""

import json
from pathlib import Path

from glassline.data.storage import written_whole
from glassline.errors import ModelError

_FILE = "failed.json"


class FailedFitError(ModelError):
    """Data and settings lead a fit nowhere: the same again ends the same, while other models may do well."""


def write_failure(folder: str | Path, why: str) -> None:
    """Leave why there is nothing in a folder that a model, or what is made of one, should lie in."""
    with written_whole(folder) as beside:
        beside.mkdir(parents=True)
        (beside / _FILE).write_text(json.dumps({"why": why}))


def failure_of(folder: str | Path) -> str:
    """Return what `write_failure` left in a folder, "" where it left nothing."""
    told = Path(folder) / _FILE
    return str(json.loads(told.read_text())["why"]) if told.is_file() else ""

"""What an evaluation leaves for the report: tables, a summary and pictures in one folder."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.errors import DataError
from glassline.report.page import PageFigure

_SUMMARY = "summary.json"


def write_result(folder: str | Path, tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> None:
    """Write `NAME.parquet` of each table and `summary.json`."""
    for name, table in tables.items():
        table.to_parquet(Path(folder) / f"{name}.parquet")
    (Path(folder) / _SUMMARY).write_text(json.dumps(about, indent=2))


def read_result(
    folder: str | Path, names: tuple[str, ...], what: str, remedy: str
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Read what `write_result` wrote.

    Args:
        folder: The folder.
        names: Tables that it must hold.
        what: What was evaluated, for the error: `a segmentation`.
        remedy: What to do where a file is missing.

    Raises:
        DataError: A file is missing; names it.
    """
    folder = Path(folder)
    missing = [name for name in (*(f"{one}.parquet" for one in names), _SUMMARY) if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder} must hold the evaluation of {what}, missing: {', '.join(missing)}; {remedy}")
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
    return tables, json.loads((folder / _SUMMARY).read_text())


def pictures(folder: Path, captions: Mapping[str, str]) -> Iterator[PageFigure]:
    """Yield `NAME.png` of each caption's name, where it is."""
    for name, caption in captions.items():
        if (folder / f"{name}.png").is_file():
            yield PageFigure((folder / f"{name}.png").read_bytes(), caption)


def overlay_pictures(folder: Path, caption: str) -> Iterator[PageFigure]:
    """Yield every `overlay_….png`: misses, then false alarms, then hits; the outcome fills the caption."""
    for outcome in ("miss", "false_alarm", "hit"):
        for path in sorted(folder.glob(f"overlay_{outcome}*.png")):
            yield PageFigure(path.read_bytes(), caption.format(outcome.replace("_", " ")))

"""The lines as tables: a row per unit, and a row per defect."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from glassline.data.labels import BOX_COLUMNS

UNIT_COLUMNS = (
    "unit", "kind", "verdict", "label", "probability", "distance", "defects", "severity_max", "reason", "overlay",
    "product", "cycle", "bundle_sha256", "inspected_utc", "sha256",
)  # fmt: skip
DEFECT_COLUMNS = (
    "unit", "zone", "label", "probability", *BOX_COLUMNS, "severity_max", "severity_mean", "severity_integrated",
    "area_px", "length_px", "x_mm", "y_mm", "length_um", "width_um", "height_um", "area_um2", "peak", "contrast_sigma",
    "direction_deg",
)  # fmt: skip

#: What a line holds once for each defect.
BOX = b'"bbox_px":'
# A line as it is written, up to why its unit is refused, and its key at the end: read ten times faster than as JSON.
_TEXT = rb'"((?:[^"\\]|\\.)*+)"'
_LINE = re.compile(
    rb'\{"format_version":\d++,"unit":%b,"kind":"\w++","verdict":"\w++","reason":%b,.*"key":"(\w++)"\}\n'
    % (_TEXT, _TEXT)
)


def header(columns: Sequence[str]) -> str:
    """Return the first row of a table."""
    return _csv([columns])


def unit_row(line: Mapping[str, Any]) -> str:
    """Return the row of a unit."""
    severities = [one["severity_max"] for one in line["defects"] if "severity_max" in one]
    told = {
        **line, "probability": (line["probabilities"] or {}).get(line["label"]), "defects": len(line["defects"]),
        "severity_max": max(severities, default=None), "overlay": " ".join(line["overlays"]),
    }  # fmt: skip
    return _csv([[told[name] for name in UNIT_COLUMNS]])


def defect_rows(line: Mapping[str, Any]) -> str:
    """Return a row for each defect of a unit, '' where there is none."""
    rows = []
    for one in line["defects"]:
        told = {**one, "unit": line["unit"], **dict(zip(BOX_COLUMNS, one["bbox_px"], strict=True))}
        rows.append([told.get(name) for name in DEFECT_COLUMNS])
    return _csv(rows)


def memory_of(text: bytes) -> tuple[str, str]:
    """Return the key of a line of `verdicts.jsonl` and why its unit was refused, "" where it was not.

    Raises:
        ValueError: It is none.
    """
    if found := _LINE.fullmatch(text):
        return found[3].decode(), json.loads(b'"%b"' % found[2]) if found[2] else ""
    told = read_line(text)
    return str(told["key"]), str(told.get("reason", ""))


def read_line(text: bytes) -> dict[str, Any]:
    """Return a line of `verdicts.jsonl`.

    Raises:
        ValueError: It is none.
    """
    told = json.loads(text)
    if not isinstance(told, dict) or not {"unit", "key", "verdict", "defects", "probabilities"} <= set(told):
        raise ValueError("it is no verdict")
    return told


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()

"""The page's sections on the new data of a cycle, from the folder that `check_cycle` wrote."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.analysis.cycle_findings import RULES
from glassline.errors import DataError
from glassline.report.cycle_check import CHECK, COUNTS, DRIFT, FINDINGS, NEAR, SHIFTS
from glassline.report.page import PageFigure, Section, SectionTable
from glassline.report.tables import rows_of

_CAPTIONS = {
    "samples": "Patches of each class, the last cycle's beside the new ones",
    "class_counts": "Samples of each class",
    "light": "Grey levels of each rig and light state",
    "attributes": "How far each attribute moved since the last cycle",
    "map": "Patches of both cycles, by cycle and by class",
}
_LIGHT = ["rig", "state", "images", "background", "last", "change", "spread", "last_spread", "saturated"]
# All of a table stands in MLflow.
_SHOWN = 12


def cycle_check_sections(checked_path: str | Path) -> list[Section]:
    """Return the sections: what was checked, the samples, the light, and what drifted where there is a last cycle.

    Args:
        checked_path: Folder that `check_cycle` wrote.

    Raises:
        DataError: A file is missing; names it.
    """
    folder = Path(checked_path)
    missing = [name for name in (CHECK, FINDINGS, COUNTS, SHIFTS, NEAR) if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"{folder} must hold the check of a cycle, missing: {', '.join(missing)}; run check_cycle again"
        )
    about: dict[str, Any] = json.loads((folder / CHECK).read_text())
    light = rows_of(pd.read_parquet(folder / SHIFTS).reindex(columns=_LIGHT))
    return [
        _found(folder, about),
        Section("New data: samples", _pictures(folder, "samples", "class_counts"), _samples_note(about), [
            SectionTable("Samples of each class", rows_of(pd.read_parquet(folder / COUNTS))), *_near(folder),
        ]),
        Section("New data: light of the rigs", _pictures(folder, "light"), _light_note(about), [
            SectionTable("Background of each rig and light state", light),
        ]),
        *_drift(folder, about),
    ]  # fmt: skip


def _found(folder: Path, about: Mapping[str, Any]) -> Section:
    findings = pd.read_parquet(folder / FINDINGS)
    rows = [
        {
            "rule": row["rule"], "outcome": row["outcome"],
            "found": f"{RULES[row['rule']]}." if row["outcome"] == "passed" else row["text"],
        }
        for row in findings.to_dict("records")
    ]  # fmt: skip
    tables = [
        SectionTable("What was checked", rows),
        SectionTable("Candidates", [dict(one) for one in about["candidates"]]),
    ]
    compared = f"champion {about['champion']} ({about['champion_model']})" if about["champion"] else "no champion yet"
    note = (
        f"Compared with: {compared}. {'; '.join(about['not_compared'])}{'. ' if about['not_compared'] else ''}"
        f"Candidates follow from the samples of the smallest class, {about['smallest_class']}."
    )
    return Section("New data: what was checked", [], note, tables)


def _samples_note(about: Mapping[str, Any]) -> str:
    if not about["compared_patches"]:
        return "A sample is what is judged: an image, or a mark where single marks are annotated."
    matched = "as many of each class" if about["classes_matched"] else "no class is in both, so drawn at random"
    return (
        "A sample is what is judged: an image, or a mark where single marks are annotated. "
        f"{about['compared_patches']:,} patches of both cycles were compared, {matched}."
    )


def _light_note(about: Mapping[str, Any]) -> str:
    return (
        f"Measured on {about['images_measured']:,} of {about['images']:,} images. The background of an image is its "
        "median, in 255ths of white; spread is the noise and texture around it."
    )


def _near(folder: Path) -> list[SectionTable]:
    pairs = pd.read_parquet(folder / NEAR)
    if pairs.empty:
        return []
    shown = pairs.head(_SHOWN)[["id", "other_id", "fold", "other_fold", "last_cycle", "correlation"]]
    title = f"Patches of different groups that show the same mark, {len(shown)} of {len(pairs)}"
    return [SectionTable(title, rows_of(shown))]


def _drift(folder: Path, about: Mapping[str, Any]) -> list[Section]:
    if not (folder / DRIFT).is_file():
        return []
    beyond = about["beyond_known_share"]
    known = (
        f" {beyond:.0%} of the new patches and {about['last_beyond_known_share']:.0%} of the last cycle's lie beyond "
        "the distance from which the champion calls a patch unknown."
        if beyond is not None
        else ""
    )
    note = (
        "A new product drifts: this tells how far, and refuses nothing. Attributes: Kolmogorov-Smirnov statistic, p "
        "over regroupings of whole groups, Holm-corrected; shift and Wasserstein distance in standard deviations of "
        f"the last cycle; PSI above 0.25 is usually called large. Patches: {about['features']}, energy distance "
        f"{about['embedding_energy']:.3f} of 1, p = {about['embedding_p']:.2g}.{known}"
    )
    attributes = pd.read_parquet(folder / DRIFT)
    shown = attributes.head(_SHOWN).drop(columns=["last", "new", "p"])
    tables = [SectionTable(f"Attributes, {len(shown)} of {len(attributes)}", rows_of(shown))]
    return [Section("New data: drift since the last cycle", _pictures(folder, "attributes", "map"), note, tables)]


def _pictures(folder: Path, *names: str) -> list[PageFigure]:
    return [PageFigure((folder / f"{name}.png").read_bytes(), _CAPTIONS[name]) for name in names]

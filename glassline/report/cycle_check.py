"""The check of a new cycle's data as files: `check.json`, tables and figures; see `cycle_check_sections`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from glassline.analysis.cycle_check import CycleCheck
from glassline.analysis.cycle_findings import findings_table, outcomes
from glassline.analysis.cycle_settings import CheckSettings
from glassline.data.balanced import draw_per_class
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.deploy.last_cycle import LastCycle
from glassline.deploy.patch_features import FEATURE_WORDS
from glassline.errors import DataError
from glassline.report.cycle_figures import attributes_figure, counts_figure, light_figure, map_figure, sheet_figure
from glassline.report.figures import save_figure

#: What was found, which candidates follow, and what was compared with what.
CHECK = "check.json"
#: Tables of the folder.
FINDINGS, COUNTS, LIGHT, SHIFTS = "findings.parquet", "counts.parquet", "light.parquet", "light_shifts.parquet"
DRIFT, NEAR = "attribute_drift.parquet", "near_duplicates.parquet"

_OF_A_CLASS = 6


def write_cycle_check(
    found: CycleCheck, last: LastCycle, split: SampleTable, settings: CheckSettings, about: Mapping[str, Any],
    folder: Path,
) -> list[str]:  # fmt: skip
    """Write the files of a check.

    Args:
        found: What was found.
        last: What it was compared with.
        split: Table of the new patches.
        settings: What was asked of the data.
        about: What was asked and what follows: product, cycle, check, candidates, smallest_class.
        folder: Where the files go; made here.

    Returns:
        Names of the figures' files.
    """
    folder.mkdir(parents=True)
    figures = _figures(found, last, split, settings.least_per_class)
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")
    tables = {
        FINDINGS: findings_table(found.findings), COUNTS: found.counts, LIGHT: found.light.rigs, SHIFTS: found.shifts,
        NEAR: found.near,
    }  # fmt: skip
    if found.drift is not None:
        tables[DRIFT] = found.drift.attributes
    for name, table in tables.items():
        table.to_parquet(folder / name)
    (folder / CHECK).write_text(json.dumps(_told(found, last, about), indent=2))
    return [f"{name}.png" for name in figures]


def _told(found: CycleCheck, last: LastCycle, about: Mapping[str, Any]) -> dict[str, Any]:
    levels = outcomes(found.findings)
    drift = found.drift
    return {
        **about,
        "refused": "refused" in levels.values(),
        "outcomes": levels,
        "findings": findings_table(found.findings).to_dict("records"),
        "champion": last.champion.version if last.champion else "",
        "champion_model": last.model,
        "not_compared": list(last.lacks),
        "images": found.light.of_images,
        "images_measured": int(found.light.images["image"].nunique()),
        "compared_patches": 0 if found.drawn is None else len(found.drawn.rows),
        "classes_matched": None if found.drawn is None else found.drawn.matched,
        "features": "" if drift is None else FEATURE_WORDS[drift.features.kind],
        "embedding_energy": None if drift is None else drift.energy.effect,
        "embedding_p": None if drift is None else drift.energy.p,
        "beyond_known_share": None if drift is None else drift.beyond,
        "last_beyond_known_share": None if drift is None else drift.last_beyond,
    }


def _figures(found: CycleCheck, last: LastCycle, split: SampleTable, least: int) -> dict[str, Figure]:
    classes = [str(name) for name in found.counts["label"]]
    before = {} if last.table is None else _thumbnails(last.table)
    figures = {
        "samples": sheet_figure(before, _thumbnails(split), classes),
        "class_counts": counts_figure(found.counts, least, last.table is not None),
        "light": light_figure(found.light.rigs, last.light),
    }
    if found.drift is not None and found.drawn is not None:
        drift, labels = found.drift, found.drawn.rows["label"][found.drift.embedded_N]
        figures["attributes"] = attributes_figure(drift.attributes)
        words = FEATURE_WORDS[drift.features.kind]
        figures["map"] = map_figure(drift.features.features_NF, drift.new_N, list(labels), words)
    return figures


def _thumbnails(table: SampleTable) -> dict[str, list[npt.NDArray[np.uint8]]]:
    """Return a few patches of each class; none of a table whose shards are gone, which the check has told."""
    drawn = draw_per_class(table, np.arange(len(table.rows)), _OF_A_CLASS, 0)
    rows: pd.DataFrame = table.rows.iloc[drawn]
    try:
        patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    except DataError:
        return {}
    found: dict[str, list[npt.NDArray[np.uint8]]] = {}
    for label, patch_HW in zip(rows["label"], patch_NHW, strict=True):
        found.setdefault(str(label), []).append(patch_HW)
    return found

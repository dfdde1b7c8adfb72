"""The check of a new cycle's data: against itself, and against the champion's cycle.

Shapes: N patches.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.cycle_counts import class_counts, count_findings
from glassline.analysis.cycle_draw import Drawn, draw_both, draw_new
from glassline.analysis.cycle_findings import Finding
from glassline.analysis.cycle_leaks import alike_pictures, fold_leaks, same_pictures, seen_before
from glassline.analysis.cycle_settings import CheckSettings
from glassline.analysis.drift_findings import CycleDrift, drift_findings, measure_drift
from glassline.analysis.light_shift import light_findings, light_shifts
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.deploy.last_cycle import LastCycle
from glassline.errors import DataError
from glassline.vision.light_levels import LightLevels, measure_light
from glassline.vision.near_duplicates import near_duplicates

#: Columns of the table of near-duplicates.
PAIR_COLUMNS = ("id", "other_id", "group", "other_group", "fold", "other_fold", "last_cycle", "correlation")


@dataclass(frozen=True)
class CycleCheck:
    """What the check found.

    Attributes:
        findings: What was found, rule by rule.
        counts: One row per class; see `class_counts`.
        light: Light of the images that were measured.
        shifts: One row per rig and light state; see `light_shifts`.
        near: One row per pair of near-duplicates: PAIR_COLUMNS.
        drawn: Patches of both cycles that were compared, None where there is no last cycle to compare with.
        drift: How they differ, None as above.
    """

    findings: list[Finding]
    counts: pd.DataFrame
    light: LightLevels
    shifts: pd.DataFrame
    near: pd.DataFrame
    drawn: Drawn | None
    drift: CycleDrift | None


def check_data(
    split: SampleTable, images: SampleTable, product: str, cycle: str, last: LastCycle, settings: CheckSettings,
    progress: Callable[[str], None],
) -> CycleCheck:  # fmt: skip
    """Check new data, and return everything found; nothing is raised for what the data are.

    Args:
        split: Table of the new patches with folds.
        images: Table of the images that they come from.
        product: The product that they must be of.
        cycle: The cycle that they must be of.
        last: What the champion's cycle left.
        settings: What is asked.
        progress: Called with what is looked at next.

    Raises:
        DataError: The new set's own shards cannot be read.
    """
    findings = [*_belongs(images, product, cycle), *fold_leaks(split), *same_pictures(images, split)]
    if last.table is not None:
        findings += seen_before(split, last.table, settings.relabelled)
    counts = class_counts(split, last.table)
    findings += count_findings(counts, last.classes, settings)
    progress("light of the rigs")
    light = measure_light(images, settings.images_per_rig, settings.most_saturated, settings.most_even)
    shifts = light_shifts(light.rigs, last.light)
    findings += light_findings(light, shifts, settings.light_shift)
    progress("patches of the last cycle")
    drawn, drift = None, None
    if last.table is not None:
        try:
            drawn = draw_both(split, last.table, settings.patches, settings.seed)
        except DataError as error:
            findings.append(Finding("embedding", "warned", f"patches of the last cycle cannot be read: {error}"))
    progress("pictures that come twice")
    near = _near(split, drawn, settings)
    findings += alike_pictures(near)
    if drawn is not None:
        progress("drift")
        drift = measure_drift(drawn, split.attributes, last.bundle, settings)
        findings += drift_findings(drift, drawn, product)
    return CycleCheck(findings, counts, light, shifts, near, drawn, drift)


def _belongs(images: SampleTable, product: str, cycle: str) -> list[Finding]:
    """Return what says of itself that it is of another product or cycle."""
    found = []
    for what, asked in (("product", product), ("cycle", cycle)):
        named_N = images.rows.get(f"named_{what}", images.rows[what]).astype(str)
        if len(other := images.rows[named_N != asked]):
            text = (
                f"{len(other)} of {len(images.rows)} images say that they are of {what} {named_N[other.index[0]]!r}, "
                f"not {asked!r}, as which they count: {other['id'].iloc[0]}; check that these are the right captures"
            )
            found.append(Finding("product", "warned", text))
    return found


def _near(split: SampleTable, drawn: Drawn | None, settings: CheckSettings) -> pd.DataFrame:
    """Return near-duplicates among new patches, and of new ones with those of the last cycle; the same bytes apart."""
    rows = split.rows.iloc[draw_new(split, settings.patches, settings.seed)].assign(last_cycle=False)
    rows["group"] = "new " + rows["group"].astype(str)
    patch_NHW: npt.NDArray[np.uint8] = ShardReader(split.root, "patch").read(rows["shard"], rows["row"])
    if drawn is not None:
        old_N = ~drawn.new_N
        rows = pd.concat([rows, drawn.rows[old_N]], ignore_index=True)
        patch_NHW = np.concatenate([patch_NHW, drawn.patch_NHW[old_N]])
    pairs = near_duplicates(patch_NHW, rows["group"].to_numpy(object), settings.alike)
    one, other = (rows.iloc[pairs[side].to_numpy()].reset_index(drop=True) for side in ("one", "other"))
    told = pd.DataFrame(
        {
            "id": one["id"], "other_id": other["id"], "group": one["group"], "other_group": other["group"],
            "fold": one["fold"], "other_fold": other["fold"], "last_cycle": other["last_cycle"],
            "correlation": pairs["correlation"],
        }, columns=list(PAIR_COLUMNS)
    )  # fmt: skip
    news = ~one["last_cycle"].astype(bool) & (one["sha256"] != other["sha256"])
    return told[news.to_numpy()].astype({"last_cycle": bool}).reset_index(drop=True)

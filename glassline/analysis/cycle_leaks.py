"""Leaks: what lies on both sides of a fold, pictures that come twice, and labels that contradict each other.

Same pictures are told by their hash: of an image's file, and of a patch's pixels. Shapes: H x W pixels.
"""

import hashlib
from functools import cache

import numpy as np
import pandas as pd

from glassline.analysis.cycle_findings import Finding, named
from glassline.data.samples import SampleTable
from glassline.data.splits import is_real
from glassline.models.settings import PATCH_PX


def fold_leaks(split: SampleTable) -> list[Finding]:
    """Return every group, unit and image that lies in two folds."""
    found = []
    for column in ("group", "unit", "image"):
        folds = split.rows.groupby(column)["fold"].nunique()
        torn = folds[folds > 1].index
        if len(torn):
            text = f"a {column} must lie in one fold, these lie in more: {named(torn)}; run split_samples again"
            found.append(Finding("leaks", "refused", text))
    return found


def same_pictures(images: SampleTable, split: SampleTable) -> list[Finding]:
    """Return pictures of the new set that come twice, under two groups or with two labels."""
    rows = images.rows
    patches = _patches(split)
    found = []
    for kind, table, label in (("image", rows, "label"), ("patch", patches, "unit_label")):
        by_sum = table.groupby("sha256")
        counts = by_sum.agg(groups=("group", "nunique"), labels=(label, "nunique"), ids=("id", list))
        groups = counts[counts["groups"] > 1]["ids"]
        labels = counts[counts["labels"] > 1]["ids"]
        if len(groups):
            text = (
                f"one {kind} must be of one group, else training and test share it; the same pixels come under two "
                f"in {len(groups)} cases: {named(map(_pair, groups))}; delete one, or give both one group in groups.csv"
            )
            found.append(Finding("duplicates", "refused", text))
        if len(labels):
            text = (
                f"one {kind} must have one label, the same pixels have two in {len(labels)} cases: "
                f"{named(map(_pair, labels))}; mend one label of each"
            )
            found.append(Finding("labels", "refused", text))
    return found


def seen_before(split: SampleTable, last: SampleTable, relabelled: bool) -> list[Finding]:
    """Return what the last cycle's table has already: other labels, and samples that the champion learnt from.

    A label that a reviewer decided on may differ: its row says so in `review`.

    Args:
        split: Table of the new patches.
        last: That of the champion's cycle.
        relabelled: Whether other labels are wanted, as after a correction.
    """
    before = _patches(last).drop_duplicates("sha256").set_index("sha256")
    new = _patches(split)
    known = new[new["sha256"].isin(before.index)]
    if known.empty:
        return []
    was = known["sha256"].map(before["unit_label"])
    reviewed_N = known["review"].to_numpy() != "" if "review" in known else np.zeros(len(known), np.bool_)
    found, other = [], known[(was.to_numpy() != known["unit_label"].to_numpy()) & ~reviewed_N]
    if len(other):
        pairs = [f"{one} ({was[place]} then, {label} now)" for place, one, label in
                 zip(other.index, other["id"], other["unit_label"], strict=True)]  # fmt: skip
        text = f"{len(other)} patches were labelled otherwise in the last cycle: {named(pairs)}"
        remedy = "; mend the labels, or set check.relabelled=true where they were corrected on purpose"
        found.append(Finding("labels", *(("warned", text) if relabelled else ("refused", text + remedy))))
    units = known["unit"].nunique()
    found.append(
        Finding(
            "seen", "warned",
            f"{units} of {split.rows['unit'].nunique()} units were in the champion's own set ({named(known['id'])}): "
            "figures on them flatter the champion",
        )
    )  # fmt: skip
    return found


def alike_pictures(pairs: pd.DataFrame) -> list[Finding]:
    """Return what follows from near-duplicates: see `near_duplicates`."""
    found = []
    here = pairs[~pairs["last_cycle"]]
    if len(here):
        names = (f"{one} / {other}" for one, other in zip(here["id"], here["other_id"], strict=True))
        astray = int((here["fold"] != here["other_fold"]).sum())
        text = (
            f"{len(here)} pairs of patches of different groups show the same mark or picture, {astray} of them in "
            f"different folds: {named(names)}; where it is one part, give it one group in groups.csv, else figures "
            "flatter; what every part has, such as a hole, is to be told apart by extract.systematic"
        )
        found.append(Finding("duplicates", "warned", text))
    before = pairs[pairs["last_cycle"]]
    if len(before):
        text = (
            f"{before['id'].nunique()} patches show the same picture as one of the champion's own set: "
            f"{named(before['id'].unique())}; figures on them flatter the champion"
        )
        found.append(Finding("seen", "warned", text))
    return found


def _patches(table: SampleTable) -> pd.DataFrame:
    """Return the real patches that show anything: those of one grey level all look the same."""
    rows = table.rows[is_real(table)]
    return rows[~rows["sha256"].isin(_even())]


@cache
def _even() -> frozenset[str]:
    levels = (np.full((PATCH_PX, PATCH_PX), level, np.uint8) for level in range(256))
    return frozenset(hashlib.sha256(one.tobytes()).hexdigest() for one in levels)


def _pair(ids: list[str]) -> str:
    return " = ".join(ids[:2]) + (f" and {len(ids) - 2} more" if len(ids) > 2 else "")

"""How many samples of each class there are, on how many groups, and which classes the champion does not know."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.cycle_findings import Finding, named
from glassline.analysis.cycle_settings import CheckSettings
from glassline.data.samples import SampleTable
from glassline.data.splits import is_real

_FOLDS = 3


def class_counts(split: SampleTable, last: SampleTable | None) -> pd.DataFrame:
    """Return a row per class of either set: label, units, groups, patches; the same of the last cycle, 0 where none."""
    new, old = _counts(split), _counts(last) if last is not None else None
    names = list(dict.fromkeys([*split.classes, *(last.classes if last is not None else ())]))
    table = new.reindex(names).fillna(0).astype(int)
    before = (old if old is not None else new.iloc[:0]).reindex(names).fillna(0).astype(int)
    return table.join(before.add_prefix("last_")).rename_axis("label").reset_index()


def _counts(table: SampleTable) -> pd.DataFrame:
    rows = table.rows[is_real(table)]
    by_class = rows.groupby("unit_label")
    return pd.DataFrame(
        {"units": by_class["unit"].nunique(), "groups": by_class["group"].nunique(), "patches": by_class.size()}
    )


def count_findings(counts: pd.DataFrame, known: Sequence[str], settings: CheckSettings) -> list[Finding]:
    """Return classes with too few samples or groups, imbalance, and what differs from the classes of the champion.

    Args:
        counts: Table of `class_counts`.
        known: Classes of the champion; none where there is no champion.
        settings: What is asked of the data.
    """
    present = counts[counts["units"] > 0]
    found = []
    few = present[present["units"] < settings.least_per_class]
    if len(few):
        told = named(f"{label} has {units}" for label, units in zip(few["label"], few["units"], strict=True))
        text = (
            f"every class must have at least {settings.least_per_class} samples, {told}; label more of them, leave the "
            "class out, or lower check.least_per_class"
        )
        found.append(Finding("counts", "refused", text))
    narrow = present[present["groups"] < settings.least_groups]
    if len(narrow):
        told = named(f"{label} has {groups}" for label, groups in zip(narrow["label"], narrow["groups"], strict=True))
        text = (
            f"every class must be seen on at least {settings.least_groups} groups (glasses, tiles), {told}; capture it "
            "on another one, or leave the class out"
        )
        found.append(Finding("counts", "refused", text))
    if len(present) < 2:
        told = named(present["label"]) or "none"
        found.append(Finding("counts", "refused", f"there must be at least 2 classes, got {told}; label another one"))
    return [*found, *_imbalance(present, settings), *_classes(present, known)]


def fold_findings(split: SampleTable, trained_N: npt.NDArray[np.intp]) -> list[Finding]:
    """Return what the model that is handed out cannot be trained on, whatever the cross-validation says.

    Args:
        split: Table of the new patches with folds.
        trained_N: Positions of the rows that it is trained on, in no fold that tests or validates it.
    """
    folds = split.rows["fold"].nunique()
    if folds < _FOLDS:
        text = (
            f"samples must lie on at least {_FOLDS} groups (glasses, tiles), to train on, to validate and to test, got "
            f"enough for {folds}; capture more of them"
        )
        return [Finding("counts", "refused", text)]
    groups = split.rows.groupby("unit_label")["group"].nunique()  # a class of one group is refused for that
    lacking = sorted(set(groups.index[groups > 1]) - set(split.rows["unit_label"].iloc[trained_N]))
    if not lacking:
        return []
    text = (
        f"every class must have a group to train on besides those that test and validate, {named(lacking)} has none; "
        "capture it on another one, or set another seed"
    )
    return [Finding("counts", "refused", text)]


def _imbalance(present: pd.DataFrame, settings: CheckSettings) -> list[Finding]:
    if present.empty:
        return []
    most, least = present.iloc[int(present["units"].argmax())], present.iloc[int(present["units"].argmin())]
    ratio = most["units"] / least["units"]
    if ratio <= settings.most_imbalance:
        return []
    text = (
        f"{most['label']} has {most['units']} samples and {least['label']} {least['units']}, {ratio:.0f} for one; more "
        f"than {settings.most_imbalance:g}: read the figures of each class, not accuracy alone"
    )
    return [Finding("counts", "warned", text)]


def _classes(present: pd.DataFrame, known: Sequence[str]) -> list[Finding]:
    if not known:
        return []
    found, here = [], set(present["label"])
    if missing := [name for name in known if name not in here]:
        text = (
            f"the champion knows classes of which there is no sample: {named(missing)}; a model trained on these data "
            "alone forgets them"
        )
        found.append(Finding("classes", "warned", text))
    if new := [name for name in present["label"] if name not in known]:
        text = f"the champion does not know: {named(new)}; it gets every one of them wrong"
        found.append(Finding("classes", "warned", text))
    return found

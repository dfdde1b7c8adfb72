"""Folds by group, stratified and seeded, and the check that nothing leaks between them.

A fold is drawn over units (what is judged: a patch, or an image of which only the whole is labelled)
and handed to every row of the unit. So the number of candidates in an image, or a mask, cannot move it.
"""

import re
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.data.samples import SampleTable
from glassline.errors import DataError


def assign_folds(table: SampleTable, folds: int, seed: int, strict: bool = True) -> SampleTable:
    """Add the column `fold` to a table of images or patches.

    scikit-learn's StratifiedGroupKFold over units in the order of their ids, which spreads a class with
    fewer groups than folds over as many folds as it has groups; `split_warnings` names such classes.

    Args:
        table: Rows with `unit`, `unit_label` and `group`; in a table of images each is its own unit.
        folds: Number of folds, at least 2.
        seed: Any integer >= 0.
        strict: Refuse too few groups or samples; else there are as many folds as they suffice for, one where there is
            one group, and a class may lie in one fold alone.

    Returns:
        The table with `fold` in 0..folds-1, the fold in which a row is tested.

    Raises:
        DataError: A unit lies in two groups or classes; where it is strict, a class has fewer than two groups, or
            there are fewer groups than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    units = _units(table)
    if strict:
        _check_enough(units, folds)
    else:
        folds = min(folds, units["group"].nunique(), int(units["label"].value_counts().max()))
        if folds < 2:
            return table.with_rows(table.rows.assign(fold=np.int64(0)))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold_of = pd.Series(-1, index=units["unit"], dtype=np.int64)
    with warnings.catch_warnings():
        # Said by split_warnings, with names.
        warnings.filterwarnings("ignore", "The least populated class in y has only", UserWarning)
        for fold, (_, test_N) in enumerate(splitter.split(units, units["label"], _group_keys(units["group"]))):
            fold_of.iloc[test_N] = fold
    rows = table.rows.assign(fold=_unit_column(table).map(fold_of).to_numpy(np.int64))
    result = table.with_rows(rows)
    check_leak(result)
    return result


def split_warnings(table: SampleTable, folds: int) -> list[str]:
    """Return one line for each class that is missing from some test folds; no fold needs to exist yet.

    Args:
        table: Table of images or patches.
        folds: Number of folds.
    """
    counts = _units(table).groupby("label")["group"].nunique().sort_index()
    return [
        f"class {label!r} has {groups} groups for {folds} folds: it is tested in {groups} of them only, so "
        "read metrics pooled over folds"
        for label, groups in counts.items()
        if groups < folds
    ]


def check_leak(table: SampleTable) -> None:
    """Raise when something that must stay together lies in two folds.

    Args:
        table: Table with the column `fold`.

    Raises:
        DataError: A group, unit or image lies in two folds, or a copy lies in another fold than its
            original or has lost it; names it.
    """
    rows = table.rows
    if "fold" not in rows:
        raise DataError("a split table must have the column fold, got none; run split_samples first")
    for column in ("group", "unit", "image"):
        if column in rows:
            _check_together(rows, column)
    if "origin" in rows:
        copies = rows[rows["augmentation"] != ""]
        expected = copies["origin"].map(rows.set_index("id")["fold"])
        astray = copies[expected.isna() | (expected != copies["fold"])]
        if len(astray):
            raise DataError(
                f"a copy must lie in the fold of its original, got {astray['id'].iloc[0]!r} of "
                f"{astray['origin'].iloc[0]!r} elsewhere; run split_samples before augment_samples"
            )


def train_rows(table: SampleTable, test_fold: int) -> npt.NDArray[np.intp]:
    """Return positions of the rows to train on: every other fold, with copies."""
    _check_fold(table, test_fold)
    return np.flatnonzero(table.rows["fold"].to_numpy() != test_fold)


def test_rows(table: SampleTable, test_fold: int) -> npt.NDArray[np.intp]:
    """Return positions of the rows to test on: one fold, without copies."""
    _check_fold(table, test_fold)
    return np.flatnonzero((table.rows["fold"].to_numpy() == test_fold) & is_real(table))


def is_real(table: SampleTable) -> npt.NDArray[np.bool_]:
    """Return which rows of a table are no augmented copies."""
    if "augmentation" not in table.rows.columns:
        return np.ones(len(table.rows), np.bool_)
    return np.asarray(table.rows["augmentation"] == "", np.bool_)


def fold_images(images: SampleTable, split: SampleTable, fold: int) -> list[int]:
    """Return positions of the images whose patches lie in a fold; those that gave no patch lie in none.

    Raises:
        DataError: The fold has none of these images.
    """
    fold_of = split.rows.drop_duplicates("image").set_index("image")["fold"]
    found = np.flatnonzero(images.rows["id"].map(fold_of).to_numpy() == fold).tolist()
    if not found:
        raise DataError(f"fold {fold} must hold images of the table, got none; split patches of these very images")
    return [int(position) for position in found]


# pytest would take the name for a test wherever it is imported.
test_rows.__test__ = False  # type: ignore[attr-defined]


def _unit_column(table: SampleTable) -> "pd.Series[Any]":
    return table.rows["unit" if table.kind == "patches" else "id"]


def _units(table: SampleTable) -> pd.DataFrame:
    """Return one row per unit, sorted by unit: unit, label, group."""
    label = "unit_label" if table.kind == "patches" else "label"
    units = pd.DataFrame(
        {
            "unit": _unit_column(table).to_numpy(),
            "label": table.rows[label].to_numpy(),
            "group": table.rows["group"].to_numpy(),
        }
    ).drop_duplicates()
    repeated = units["unit"][units["unit"].duplicated()]
    if len(repeated):
        places = units[units["unit"] == repeated.iloc[0]]
        raise DataError(
            f"a unit must have one class and one group, got {repeated.iloc[0]!r} with classes "
            f"{sorted(set(places['label']))} and groups {sorted(map(str, set(places['group'])))}; mend the table"
        )
    return units.sort_values("unit").reset_index(drop=True)


def _group_keys(groups: "pd.Series[Any]") -> npt.NDArray[Any]:
    """Return groups as numbers where all are: the draw follows their order, and "10" sorts before "9"."""
    names = groups.astype(str).tolist()
    if all(re.fullmatch(r"\d{1,18}", name) for name in names):
        return np.array([int(name) for name in names])
    return np.array(names)


def _check_enough(units: pd.DataFrame, folds: int) -> None:
    counts = units.groupby("label")["group"].nunique()
    if folds < 2:
        raise DataError(f"folds must be >= 2, got {folds}; raise it")
    few = counts[counts < 2]
    if len(few):
        raise DataError(
            f"every class must have at least 2 groups, got {int(few.iloc[0])} for class {few.index[0]!r}; "
            "collect samples of another group, or leave the class out"
        )
    if units["group"].nunique() < folds or units["label"].value_counts().max() < folds:
        raise DataError(
            f"folds must be <= the number of groups, {units['group'].nunique()}, and of samples of the largest "
            f"class, {units['label'].value_counts().max()}; got {folds}; lower folds"
        )


def _check_together(rows: pd.DataFrame, column: str) -> None:
    pairs = rows[[column, "fold"]].drop_duplicates()
    torn = pairs[column][pairs[column].duplicated()]
    if len(torn):
        places = sorted(pairs["fold"][pairs[column] == torn.iloc[0]])
        raise DataError(
            f"a {column} must lie in one fold, got {column} {torn.iloc[0]!r} in folds {places}; split by group again"
        )


def _check_fold(table: SampleTable, test_fold: int) -> None:
    known = sorted({int(fold) for fold in table.rows["fold"]}) if "fold" in table.rows else []
    if test_fold not in known:
        raise DataError(f"test_fold must be one of {known}, got {test_fold}; run split_samples first")

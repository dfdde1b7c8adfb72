"""Assign folds by group."""

from glassline.data.samples import read_samples
from glassline.data.splits import assign_folds, split_warnings
from glassline.tracking import step_run


def split_samples(patches_path: str, folds: int, seed: int, split_path: str, strict: bool = True) -> None:
    """Write the table of patches with a `fold` column, grouped and stratified.

    Args:
        patches_path: Table of patches.
        folds: Number of folds, >= 2.
        seed: Seed of the assignment.
        split_path: Where the table with folds goes.
        strict: Refuse too few groups; else there are fewer folds, which is noted, and `check_cycle` judges the classes.

    Raises:
        DataError: A group would lie on both sides; where it is strict, a class has fewer than two groups, or there are
            fewer groups than folds.
    """
    with step_run("split_samples", {"folds": folds, "seed": seed}) as run:
        table = assign_folds(read_samples(patches_path, "patches"), int(folds), seed, strict)
        table.write(split_path)
        made = table.rows["fold"].nunique()
        if made < folds:
            run.note(f"there are groups for {made} folds, not {folds:g}: the cross-validation has {made}")
        for message in split_warnings(table, made):
            run.note(message)
        units = table.rows.drop_duplicates("unit")
        counts = units.groupby(["unit_label", "fold"]).size().unstack(fill_value=0)
        run.table(counts.reset_index(), "units_per_fold")
        run.metrics({"units": len(units), "groups": units["group"].nunique()})

"""Assign folds by group."""

from glassline.data.samples import read_samples
from glassline.data.splits import assign_folds, split_warnings
from glassline.tracking import step_run


def split_samples(patches_path: str, folds: int, seed: int, split_path: str) -> None:
    """Write the table of patches with a `fold` column, grouped and stratified.

    Args:
        patches_path: Table of patches.
        folds: Number of folds, >= 2.
        seed: Seed of the assignment.
        split_path: Where the table with folds goes.

    Raises:
        DataError: A class has fewer than two groups, or a group would lie on both sides.
    """
    with step_run("split_samples", {"folds": folds, "seed": seed}) as run:
        table = assign_folds(read_samples(patches_path, "patches"), folds, seed)
        table.write(split_path)
        for message in split_warnings(table, folds):
            run.note(message)
        units = table.rows.drop_duplicates("unit")
        counts = units.groupby(["unit_label", "fold"]).size().unstack(fill_value=0)
        run.table(counts.reset_index(), "units_per_fold")
        run.metrics({"units": len(units), "groups": units["group"].nunique()})

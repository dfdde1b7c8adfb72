"""Add augmented copies of the training samples."""

from collections.abc import Mapping
from typing import Any

from glassline.data.samples import read_samples
from glassline.data.splits import check_leak
from glassline.tracking import step_run
from glassline.vision.augment import AugmentSettings, augment_table


def augment_samples(split_path: str, augment: Mapping[str, Any], seed: int, augmented_path: str) -> str:
    """Write the table with augmented copies, which inherit group and fold, and return its content hash.

    No pixel is copied: a copy names its original's place in the shards and the operations to apply.

    Args:
        split_path: Table of patches with folds.
        augment: Fields of `AugmentSettings`.
        seed: Seed of the operations.
        augmented_path: Where the table goes.
    """
    with step_run("augment_samples", {"augment": dict(augment), "seed": seed}) as run:
        table = augment_table(read_samples(split_path, "patches", extra=["fold"]), AugmentSettings.parse(augment), seed)
        check_leak(table)
        table.write(augmented_path)
        content = table.content_hash()
        copies = int((table.rows["augmentation"] != "").sum())
        run.params({"content_hash": content})
        run.metrics({"samples": len(table.rows) - copies, "copies": copies})
        return content

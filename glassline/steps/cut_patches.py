"""Cut a new product's images into windows, with a defect or without."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from glassline.data.samples import SampleTable, read_samples
from glassline.data.sources import as_two_classes
from glassline.steps.extract_candidates import draw_patches
from glassline.tracking import StepRun, step_run
from glassline.vision.cut_patches import CutSettings, Cutting
from glassline.vision.cut_patches import cut_patches as cut_into


def cut_patches(samples_path: str, content_hash: str, cut: Mapping[str, Any], store: str, patches_path: str) -> str:
    """Turn a table of images into a table of patches of two classes, defect and clean, and return its content hash.

    Args:
        samples_path: Table of images.
        content_hash: Its content hash; patches of other content are not taken from a cache.
        cut: Fields of `CutSettings`.
        store: Folder or S3 URL under which the shards stay.
        patches_path: Where the Parquet table of patches goes.

    Raises:
        DataError: An image or mask cannot be read, no image gives a patch, or there is no clean class.
    """
    with step_run("cut_patches", {"cut": dict(cut)}) as run:
        settings, table = CutSettings.parse(cut), read_samples(samples_path, "images")
        return keep_patches(run, as_two_classes(cut_windows(run, table, settings, store)), patches_path)


def cut_windows(run: StepRun, table: SampleTable, settings: CutSettings, store: str) -> SampleTable:
    """Cut a table of images into one of patches, and log what was cut.

    Raises:
        DataError: An image or mask cannot be read, or no image gives a patch.
    """
    patches, counts = cut_into(table, store, settings, lambda done, total: run.progress(done, total, "images"))
    _log(run, table, patches, counts, settings)
    return patches


def keep_patches(run: StepRun, patches: SampleTable, patches_path: str) -> str:
    """Write a table of patches and return its content hash."""
    patches.write(patches_path)
    content = patches.content_hash()
    run.params({"content_hash": content, "classes": list(patches.classes)})
    return content


def _log(run: StepRun, table: SampleTable, patches: SampleTable, counts: Cutting, settings: CutSettings) -> None:
    found = patches.rows["label"].value_counts()
    run.metrics({"images": counts.images, "patches": counts.patches, "defects": counts.defects})
    run.metrics({f"patches_{name}": int(found.get(name, 0)) for name in patches.classes})
    if counts.by_candidates:
        run.note("no image says where its defect is: candidates are cut instead of windows")
    if counts.left_out:
        image, reason = next(iter(counts.left_out.items()))
        run.note(
            f"{len(counts.left_out)} of {counts.images} images give no patch: {image} ({reason})"
            f"{', …' if len(counts.left_out) > 1 else ''}"
        )
        run.table(pd.DataFrame(counts.left_out.items(), columns=["image", "reason"]), "left_out")
    if counts.missed_defects:
        run.note(f"{len(counts.missed_defects)} of {counts.defects} annotated defects have no pixel of their own")
    drawn = table.with_rows(table.rows[table.rows["id"].isin(patches.rows["image"])])
    draw_patches(run, drawn, patches, (settings.depth_window, settings.light_state), "windows")

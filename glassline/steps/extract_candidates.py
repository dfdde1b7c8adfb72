"""Find candidates in imported images and write their patches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.data.samples import SampleTable, read_samples
from glassline.tracking import StepRun, step_run
from glassline.vision.patches import Extraction, ExtractSettings, extract_patches
from glassline.vision.zone_images import grey_reader

_OVERLAYS = 2  # images drawn per class


def extract_candidates(samples_path: str, store: str, extract: Mapping[str, Any], patches_path: str) -> str:
    """Turn a table of images into a table of patches and return its content hash.

    Args:
        samples_path: Table of images.
        store: Folder or S3 URL under which the shards stay.
        extract: Fields of `ExtractSettings`.
        patches_path: Where the Parquet table of patches goes.

    Raises:
        DataError: An image breaks a rule, or no image has a candidate.
    """
    with step_run("extract_candidates", {"extract": dict(extract)}) as run:
        settings = ExtractSettings.parse(extract)
        table = read_samples(samples_path, "images")
        patches, counts = extract_patches(
            table, store, settings, lambda done, total: run.progress(done, total, "images")
        )
        patches.write(patches_path)
        content = patches.content_hash()
        run.params({"content_hash": content})
        _log(run, table, patches, counts, settings)
        return content


def _log(run: StepRun, table: SampleTable, patches: SampleTable, counts: Extraction, settings: ExtractSettings) -> None:
    found = patches.rows["label"].value_counts()
    run.metrics({"images": counts.images, "patches": counts.patches, "defects": counts.defects})
    run.metrics({f"patches_{name}": int(found.get(name, 0)) for name in patches.classes})
    if counts.defects:
        run.metrics({"defect_recall": counts.defect_recall})
    if counts.missed_defects:
        run.note(f"{len(counts.missed_defects)} of {counts.defects} annotated defects have no candidate")
        run.table(pd.DataFrame({"missed": counts.missed_defects}), "missed_defects")
    if counts.images_without_candidate:
        run.note(f"{len(counts.images_without_candidate)} of {counts.images} images have no candidate")
        run.table(pd.DataFrame({"image": counts.images_without_candidate}), "images_without_candidate")
    draw_patches(run, table, patches, (settings.depth_window, settings.light_state), "candidates")


def draw_patches(
    run: StepRun, table: SampleTable, patches: SampleTable, reading: tuple[tuple[int, int] | None, int | None],
    name: str,
) -> None:  # fmt: skip
    """Draw where the patches of a few images of each class were cut, coloured by their own class.

    Args:
        run: Where the figures go.
        table: Table of images.
        patches: Their patches.
        reading: How images are read: window of more than 8 bit, light state of captures.
        name: What the figures are called.
    """
    from glassline.report.figures import candidates_overlay

    read = grey_reader(table.root, *reading)
    for label, images in table.rows.groupby("label", sort=True):
        for image in images.head(_OVERLAYS).to_dict("records"):
            here = patches.rows[patches.rows["image"] == image["id"]]
            boxes = list(zip(here["crop_x_px"], here["crop_y_px"], here["crop_px"], here["crop_px"], strict=True))
            figure = candidates_overlay(read(image["image"]), boxes, here["label"].to_list())
            stem = str(image["id"]).removesuffix(Path(str(image["id"])).suffix)
            run.figure(figure, f"{name}_{label}_{stem}")

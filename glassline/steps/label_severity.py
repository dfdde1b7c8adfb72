"""Label the severity of every annotated defect, and split the groups."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glassline.analysis.detection_tables import MEASURES
from glassline.analysis.severity_agreement import labelled_severity
from glassline.data.glass_split import GlassSplit, numbers_of, read_split, split_glasses
from glassline.data.samples import read_samples
from glassline.data.storage import folder_hash, written_whole
from glassline.errors import DataError
from glassline.tracking import step_run
from glassline.training.settings import RegressionSettings
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.severity import label_severity as label

#: Files of the labels folder.
DEFECTS, SPLIT, LEFT_OUT = "defects.parquet", "split.json", "left_out.json"


class _UnusableError(Exception):
    """An image's annotation tells no severity."""


def label_severity(
    samples_path: str, content_hash: str, regression: Mapping[str, Any], seed: int, labels_path: str
) -> str:
    """Label severity, split the groups, and return a hash of both.

    Args:
        samples_path: Table of images.
        content_hash: Its content hash; labels of other content are not taken from a cache.
        regression: Fields of `RegressionSettings`: how images are read, and the cell's edge.
        seed: Seed of the split.
        labels_path: Folder for `defects.parquet` (one row per annotated defect: image, number, type, area and
            severity), `split.json` and `left_out.json`: images that cannot be labelled, because nobody says where their
            defect is, or its mask is empty or covers the image. They are neither trained on nor judged.

    Raises:
        DataError: No image can be labelled, there are fewer than three groups with a defect, or an image cannot be
            read; names it.
    """
    from glassline.report.detection import severity_labels_figure

    with step_run("label_severity", {"regression": dict(regression), "seed": seed}) as run:
        settings = RegressionSettings.parse(regression)
        images = annotated_images(samples_path, settings)
        left_out = {
            images.images[number]: "nobody says where its defect is"
            for number in range(len(images))
            if images.placeless(number)
        }
        chosen = [number for number in range(len(images)) if images.has_any(number)]
        parts = []
        for done, number in enumerate(chosen, 1):
            try:
                parts.append(_labelled(images, number, settings.detector.cell_px))
            except _UnusableError as error:
                left_out[images.images[number]] = str(error)
            run.progress(done, len(chosen), "images labelled")
        if not parts:
            raise DataError("; ".join(f"{image}: {reason}" for image, reason in [*left_out.items()][:5]))
        defects = pd.concat(parts, ignore_index=True)
        with written_whole(labels_path) as beside:
            beside.mkdir(parents=True)
            defects.to_parquet(beside / DEFECTS)
            (beside / LEFT_OUT).write_text(json.dumps(left_out, indent=1))
            split = _split(annotated_images(samples_path, settings, beside), seed)
            split.write(beside / SPLIT)
        run.table(defects.groupby("type")[list(MEASURES)].describe().stack(0).reset_index(), "severity_by_type")
        run.figure(severity_labels_figure(defects), "severity_labels")
        run.metrics({"defects": len(defects), "images_defective": len(chosen)})
        run.metrics({f"images_{side}": len(numbers_of(images.groups, groups)) for side, groups in vars(split).items()})
        for message in _notes(defects, left_out, len(images)):
            run.note(message)
        return folder_hash(labels_path)


def _split(images: AnnotatedImages, seed: int) -> GlassSplit:
    defective_N = [images.has_any(number) for number in range(len(images))]
    try:
        return split_glasses(images.groups, defective_N, seed, clean_needed=False)
    except DataError as error:
        raise DataError(f"{error}, or set severity=false") from None


def annotated_images(
    samples_path: str, settings: RegressionSettings, labels_path: str | Path | None = None
) -> AnnotatedImages:
    """Return the images of a table as the settings read them; with labels, without those that were left out.

    Raises:
        DataError: See `AnnotatedImages`.
    """
    table = read_samples(samples_path, "images")
    if labels_path is not None:
        left_out = json.loads((Path(labels_path) / LEFT_OUT).read_text())
        table = table.with_rows(table.rows[~table.rows["image"].isin(left_out)])
    return AnnotatedImages(table, settings.detector.colour, settings.depth_window, settings.light_state)


def labelled_images(
    samples_path: str, labels_path: str | Path, settings: RegressionSettings
) -> tuple[AnnotatedImages, GlassSplit]:
    """Return the images that labels tell of, and the split of their groups; see `annotated_images`."""
    return annotated_images(samples_path, settings, labels_path), read_split(Path(labels_path) / SPLIT)


def _labelled(images: AnnotatedImages, number: int, cell_px: int) -> pd.DataFrame:
    """Return a row per defect of an image."""
    annotated, grey_HW = images.annotated(number), images.grey(number)
    try:
        labels = label(grey_HW, annotated.mask_HW, cell_px)
    except DataError as error:
        raise _UnusableError(str(error)) from error
    severity_N3 = labelled_severity(labels, annotated.index_HW, len(annotated.labels), cell_px)
    area_N = np.bincount(annotated.index_HW.ravel(), minlength=len(annotated.labels) + 1)[1:]
    told = {
        "image": images.images[number], "defect": np.arange(1, len(annotated.labels) + 1), "type": annotated.labels,
        "area_px": area_N, **dict(zip(MEASURES, severity_N3.T, strict=True)),
    }  # fmt: skip
    unsided = {"rows_one_sided": len(labels.one_sided), "rows_degenerate": len(labels.degenerate)}
    return pd.DataFrame({**told, **unsided})


def _notes(defects: pd.DataFrame, left_out: Mapping[str, str], total: int) -> list[str]:
    """Say what labels cannot tell."""
    notes = []
    if left_out:
        image, reason = next(iter(left_out.items()))
        notes.append(
            f"{len(left_out)} of {total} images are left out of the severity detection, neither trained on nor judged: "
            f"{image} ({reason}){', …' if len(left_out) > 1 else ''}"
        )
    if thin := int(defects["severity_max"].isna().sum()):
        notes.append(
            f"{thin} of {len(defects)} annotated defects fill half of no cell and have no severity: take smaller cells"
        )
    if flat := int((defects["severity_max"] == 0).sum()):
        notes.append(f"{flat} of {len(defects)} annotated defects do not stand out at all, their severity is 0")
    images = defects.drop_duplicates("image")
    if degenerate := int((images["rows_degenerate"] > 0).sum()):
        notes.append(
            f"on {degenerate} of {len(images)} images a row of cells is masked wholly: it is compared with the median "
            "clean cell"
        )
    return notes

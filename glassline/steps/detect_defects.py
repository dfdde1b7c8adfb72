"""Detect the defects of the test images: severity, pixel filter, connected components, types."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glassline.data.glass_split import numbers_of
from glassline.data.storage import code_hash, content_key, folder_hash, written_whole
from glassline.data.store import Store, fetched, open_store
from glassline.steps.label_severity import labelled_images
from glassline.steps.train_regression import read_threshold, severity_of
from glassline.tracking import step_run
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.cell_tiles import RunDetector
from glassline.vision.defects import Defect, DefectSettings, find_defects
from glassline.vision.light_states import Real
from glassline.vision.type_windows import CLEAN, RunTypes, vote_types

if TYPE_CHECKING:
    from glassline.training.fitted_types import FittedTypes

#: Files of the defects folder: a row per defect, a row per image with the file of its severity map.
DEFECTS, IMAGES = "defects.parquet", "images.parquet"
_MAP, _TOLD = "severity.npy", "defects.json"
_COLUMNS = {
    "image": str, "x_px": int, "y_px": int, "width_px": int, "height_px": int, "area_px": int, "severity_max": float,
    "severity_mean": float, "severity_integrated": float, "type": str, "probability": float, "kept": bool,
}  # fmt: skip


def detect_defects(
    samples_path: str, labels_path: str, model_path: str, types_path: str, part: int, parts: int,
    defects: Mapping[str, Any], store: str, defects_path: str,
) -> None:  # fmt: skip
    """Detect the defects of one part of the test images.

    Severity maps stay in the store, named by model and image: what a killed try scored is not scored again.

    Args:
        samples_path: Table of images.
        labels_path: Folder written by `label_severity`.
        model_path: Folder written by `train_regression`.
        types_path: Folder written by `train_defect_types`.
        part: Which part of the images this is, from 0.
        parts: Number of parts.
        defects: Fields of `JoinSettings`.
        store: Folder or S3 URL for severity maps.
        defects_path: Folder for `defects.parquet` (one row per defect; `kept` is false where the classifier says that
            it is none), the same as `defects.csv`, and `images.parquet` (where each image's severity map lies).

    Raises:
        DataError: An image cannot be read; names it.
    """
    from glassline.deploy.run_detector import run_detector
    from glassline.training.fitted_detector import load_detector
    from glassline.training.fitted_types import load_types, run_types

    part, parts = int(part), int(parts)
    with step_run(
        "detect_defects", {"part": part, "parts": parts, "defects": dict(defects)},
        part=f"images {part + 1} of {parts}",
    ) as run:  # fmt: skip
        detector, types = load_detector(model_path), load_types(types_path)
        images, split = labelled_images(samples_path, labels_path, detector.settings)
        chosen = numbers_of(images.groups, split.test)[part::parts]
        settings = DefectSettings.parse({**defects, "threshold": read_threshold(model_path)})
        finder = _Finder(
            images, run_detector(detector), detector.settings.detector.cell_px, settings, types, run_types(types),
            [folder_hash(model_path), folder_hash(types_path)], open_store(store),
        )  # fmt: skip
        told = []
        for done, number in enumerate(chosen, 1):
            told.append(finder.told(number))
            run.progress(done, len(chosen), "images")
        rows = pd.DataFrame([row for one in told for row in one["defects"]], columns=list(_COLUMNS)).astype(_COLUMNS)
        maps = pd.DataFrame([{"image": one["image"], "map": one["map"]} for one in told], columns=["image", "map"])
        with written_whole(defects_path) as beside:
            beside.mkdir(parents=True)
            rows.to_parquet(beside / DEFECTS)
            rows.to_csv(beside / "defects.csv", index=False)
            maps.to_parquet(beside / IMAGES)
        run.table(rows, "defects")
        run.metrics(
            {"images": len(maps), "defects": int(rows["kept"].sum()), "called_clean": int((~rows["kept"]).sum())}
        )


@dataclass(frozen=True)
class _Finder:
    """What defects are found with."""

    images: AnnotatedImages
    detect: RunDetector
    cell_px: int
    settings: DefectSettings
    types: "FittedTypes"
    judge: RunTypes
    models: list[str]
    store: Store

    def told(self, number: int) -> dict[str, Any]:
        """Return what is found on an image; it is searched unless the store knows it."""
        what = [
            self.models, self.images.images[number], self.images.hashes[number], self.settings.model_dump(),
            list(_COLUMNS), code_hash("models", "training", "vision", "data", "deploy"),
        ]  # fmt: skip
        name = f"severity/{content_key(what)}"
        place = self.store.made(name, lambda folder: self._find(number, folder))
        told: dict[str, Any] = json.loads(place.file(_TOLD).read_text())
        return {"image": self.images.images[number], "map": f"{place.url}/{_MAP}", "defects": told["defects"]}

    def _find(self, number: int, folder: Path) -> None:
        image = self.images.pixels(number)
        severity_RC = severity_of(image, self.detect, self.cell_px)
        found = find_defects(severity_RC, self.cell_px, self.images.sizes_px[number], self.settings)
        votes = vote_types(image, found, self.cell_px, self.judge, self.types.classes, self.types.window_px)
        rows = [
            {**_row(self.images.images[number], one), "type": name, "probability": probability, "kept": name != CLEAN}
            for one, (name, probability) in zip(found, votes, strict=True)
        ]
        folder.mkdir(parents=True)
        np.save(folder / _MAP, severity_RC)
        (folder / _TOLD).write_text(json.dumps({"defects": rows}))


def _row(image: str, defect: Defect) -> dict[str, Any]:
    x, y, width, height = defect.bbox_px
    return {
        "image": image, "x_px": x, "y_px": y, "width_px": width, "height_px": height, "area_px": defect.area_px,
        "severity_max": defect.severity_max, "severity_mean": defect.severity_mean,
        "severity_integrated": defect.severity_integrated,
    }  # fmt: skip


def read_severity(path: str | Path) -> Real:
    """Return the severity (R, C) that `images.parquet` names."""
    with fetched(path, "a severity map") as file:
        return np.asarray(np.load(file, allow_pickle=False), np.float32)

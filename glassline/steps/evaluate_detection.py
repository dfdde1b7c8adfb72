"""Measure the detection on the test images, with and without the classifier of types, and write its page."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glassline.analysis.detection_tables import MEASURES, DetectionTables, ImageDefects
from glassline.analysis.segmentation import PixelCounts
from glassline.analysis.threshold import FilterThreshold, pixel_scores
from glassline.data.glass_split import numbers_of
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.report.detection_result import DetectionResult
from glassline.report.page_facts import page_facts
from glassline.steps.detect_defects import DEFECTS, IMAGES, read_severity
from glassline.steps.label_severity import DEFECTS as LABELLED
from glassline.steps.label_severity import labelled_images
from glassline.steps.train_regression import CURVE, THRESHOLD
from glassline.tracking import StepRun, parent_artifact, parent_tags, pipeline_notes, step_run
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.defects import Defect, DefectSettings, find_defects
from glassline.vision.light_states import Real

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The page, in the evaluation's folder and on the pipeline's own run.
PAGE = "detection.html"
#: Tolerances of pixel metrics.
_TOLERANCES_PX = (0, 2, 5)
# Overlays of each outcome.
_SHOWN = 2


def evaluate_detection(
    samples_path: str, labels_path: str, model_path: str, defects: Sequence[str], settings: dict[str, Any],
    evaluation_path: str,
) -> None:  # fmt: skip
    """Write metrics, figures and a page of their own.

    Args:
        samples_path: Table of images.
        labels_path: Folder written by `label_severity`.
        model_path: Folder written by `train_regression`.
        defects: Folders written by `detect_defects`, one per part.
        settings: Fields of `JoinSettings`, as they were detected with.
        evaluation_path: Folder for what the page is made of; see `glassline.report.detection_section`.

    Raises:
        DataError: A test image was searched twice or not at all, or cannot be read; names it.
    """
    from glassline.report.detection import detection_figures
    from glassline.report.detection_page import write_detection_page
    from glassline.report.figures import curves_figure, save_figure
    from glassline.training.fitted_detector import load_detector

    with step_run("evaluate_detection", {"defects": dict(settings)}) as run:
        fitted, model = load_detector(model_path), Path(model_path)
        chosen = FilterThreshold(**json.loads((model / THRESHOLD).read_text()))
        images, split = labelled_images(samples_path, labels_path, fitted.settings)
        numbers = numbers_of(images.groups, split.test)
        maps, rows = _pooled(defects, [images.images[number] for number in numbers])
        comparison = _Comparison(
            images, fitted.settings.detector.cell_px,
            DefectSettings.parse({**settings, "threshold": chosen.threshold}),
            pd.read_parquet(Path(labels_path) / LABELLED), maps, rows,
        )  # fmt: skip
        for done, number in enumerate(numbers, 1):
            comparison.add(number)
            run.progress(done, len(numbers), "images measured")
        parameters = sum(one.numel() for one in fitted.model.parameters())
        result = DetectionResult.of(
            comparison.full, comparison.alone, images.types, pd.read_parquet(model / CURVE), chosen, parameters,
            comparison.pixels(chosen.threshold),
        )  # fmt: skip
        figures = detection_figures(result, comparison.full.annotated)
        if len(fitted.history):
            figures["curves"] = curves_figure(fitted.history)
        figures |= dict(comparison.overlays(result.defects))
        facts = page_facts(read_samples(samples_path, "images"), len(images))
        with written_whole(evaluation_path) as beside:
            beside.mkdir(parents=True)
            result.write(beside)
            for name, figure in figures.items():
                save_figure(figure, beside / f"{name}.png")
                run.figure(figure, name)
            write_detection_page(beside, facts, pipeline_notes(), beside / PAGE)
        _tell(run, result, Path(evaluation_path) / PAGE)


def _tell(run: StepRun, result: DetectionResult, page: Path) -> None:
    """Log tables, metrics and the page; the page and the verdict on the pipeline's own run too."""
    run.table(result.methods, "methods")
    run.table(result.defects, "defects")
    run.metrics(_metrics(result))
    found = {"fn_rate": 1 - result.methods.iloc[0]["tpr"], "fp_rate": 1 - result.methods.iloc[0]["tnr"]}
    run.metrics({name: value for name, value in found.items() if value == value})
    run.artifact(page)
    parent_artifact(page)
    full = result.methods.iloc[0]
    parent_tags(
        {"detection": f"found {full['rejected']} of {full['defective']} defective images, passed {full['passed']} "
         f"of {full['clean']} clean ones"},
        {"detection_f1": full["f1"], "detection_mean_iou": full["mean_iou"]},
    )  # fmt: skip


def _pooled(folders: Sequence[str], wanted: list[str]) -> tuple[dict[str, str], pd.DataFrame]:
    """Return each test image's severity map, and the rows of all parts."""
    maps = pd.concat([pd.read_parquet(Path(folder) / IMAGES) for folder in folders], ignore_index=True)
    if sorted(maps["image"]) != sorted(wanted):
        odd = set(wanted) ^ set(maps["image"])
        raise DataError(
            f"every test image must be searched once, got {len(maps)} maps of {len(wanted)} images, at odds over "
            f"{sorted(odd)[:5]}; give each part of the images once"
        )
    rows = pd.concat([pd.read_parquet(Path(folder) / DEFECTS) for folder in folders], ignore_index=True)
    return dict(zip(maps["image"], maps["map"], strict=True)), rows


class _Comparison:
    """What was found on test images beside what is annotated there."""

    def __init__(
        self, images: AnnotatedImages, cell_px: int, settings: DefectSettings, labelled: pd.DataFrame,
        maps: dict[str, str], rows: pd.DataFrame,
    ) -> None:  # fmt: skip
        """Start without an image."""
        self._images, self._cell_px, self._settings, self._maps = images, cell_px, settings, maps
        self._labelled = dict(list(labelled.groupby("image")))
        self._rows = dict(list(rows.groupby("image")))
        self.full, self.alone = DetectionTables(), DetectionTables()
        self._counts = {px: PixelCounts(px) for px in _TOLERANCES_PX}

    def add(self, number: int) -> None:
        """Compare an image."""
        name, group = self._images.images[number], self._images.groups[number]
        severity_RC, annotated, found, rows = self._of(number)
        size = self._images.sizes_px[number]
        alone = ImageDefects.found(found, self._cell_px, size)
        self.alone.add(name, annotated, alone, group)
        self.full.add(name, annotated, self._kept(found, rows, size), group)
        for one in self._counts.values():
            one.add(pixel_scores(severity_RC, self._cell_px, size), annotated.index_HW > 0)

    def _of(self, number: int) -> tuple[Real, ImageDefects, list[Defect], pd.DataFrame | None]:
        """Return severity map, annotated defects, found defects and what the classifier said of these."""
        name = self._images.images[number]
        told = self._images.annotated(number)
        labelled = self._labelled.get(name)
        severity_N3 = None if labelled is None else labelled.sort_values("defect")[list(MEASURES)].to_numpy()
        severity_RC = read_severity(self._maps[name])
        found = find_defects(severity_RC, self._cell_px, self._images.sizes_px[number], self._settings)
        rows = self._rows.get(name)
        if len(found) != (0 if rows is None else len(rows)):
            raise DataError(
                f"{name} must have as many defects as were detected, got {len(found)} and "
                f"{0 if rows is None else len(rows)}; evaluate with the settings of detect_defects"
            )
        return severity_RC, ImageDefects.annotated(told.index_HW, told.labels, severity_N3), found, rows

    def _kept(self, found: list[Defect], rows: pd.DataFrame | None, size_px: tuple[int, int]) -> ImageDefects:
        """Return what the classifier takes for defects."""
        if rows is None:
            return ImageDefects.found([], self._cell_px, size_px)
        kept = [one for one, keep in zip(found, rows["kept"], strict=True) if keep]
        of_kept = rows[rows["kept"]]
        return ImageDefects.found(
            kept, self._cell_px, size_px, of_kept["type"].tolist(), of_kept["probability"].tolist()
        )

    def pixels(self, threshold: float) -> pd.DataFrame:
        """Return pixel figures of the severity filter alone, at every tolerance."""
        from glassline.vision.severity import LARGEST

        return pd.DataFrame(
            [{"tolerance_px": px, **asdict(one.at(threshold / LARGEST))} for px, one in self._counts.items()]
        )

    def overlays(self, defects: pd.DataFrame) -> "Iterator[tuple[str, Figure]]":
        """Draw images with a miss, with a false alarm and with hits alone, two of each at most."""
        from glassline.report.detection_overlay import detection_overlay

        drawn: set[str] = set()
        for outcome in ("miss", "false alarm", "hit"):
            names = [name for name in defects[defects["outcome"] == outcome]["image"].unique() if name not in drawn]
            for place, name in enumerate(names[:_SHOWN], 1):
                drawn.add(name)
                number = self._images.images.index(name)
                severity_RC, annotated, found, rows = self._of(number)
                kept = self._kept(found, rows, self._images.sizes_px[number])
                figure = detection_overlay(
                    self._images.pixels(number), severity_RC, self._cell_px, annotated, kept, f"{name}: {outcome}"
                )
                yield f"overlay_{outcome.replace(' ', '_')}_{place}", figure


def _metrics(result: DetectionResult) -> dict[str, float]:
    """Return figures as metrics by name; what is not defined is left out."""
    told = {
        f"{row['method']}_{name}".replace(" ", "_"): value
        for row in result.methods.to_dict("records")
        for name, value in row.items()
        if name != "method"
    }
    return {str(name): float(value) for name, value in told.items() if not np.isnan(value)}

"""Localise the defects of the test images by a classifier of patches: heat map, binarisation, boxes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glassline.analysis.box_hits import box_metrics, image_hits
from glassline.analysis.box_threshold import best_threshold, threshold_curve
from glassline.data.names import plain_name
from glassline.data.samples import SampleTable, read_samples
from glassline.data.splits import fold_images
from glassline.data.storage import written_whole
from glassline.data.store import Store, open_store
from glassline.errors import ModelError
from glassline.steps.train_ensemble import TEST_FOLD, VALIDATION_FOLD
from glassline.tracking import StepRun, step_run
from glassline.vision.annotated_images import AnnotatedImages, tells_places
from glassline.vision.cut_patches import CutSettings, with_clean
from glassline.vision.heat_map import Box, Classify, HeatMap, HeatSettings, LocaliseSettings, boxes
from glassline.vision.heat_store import CAM, HEAT, KeptHeat, model_key

if TYPE_CHECKING:
    from glassline.training.fitted import Fitted

#: Files of the located folder, beside one `heat_<image>.png` for each of a few images.
BOXES, METRICS = "boxes", "metrics.json"
_COLUMNS = {"image": str, "x": int, "y": int, "width": int, "height": int, "probability": float}
_SHOWN = {True: 4, False: 2}  # images drawn, with and without a defect
_UNKNOWN = 0.5


def localise_defects(
    samples_path: str, split_path: str, model_path: str, cut: Mapping[str, Any], localise: Mapping[str, Any],
    content_hash: str, store: str, located_path: str,
) -> None:  # fmt: skip
    """Localise the defects of the test images, with the threshold of the highest F1 of boxes on validation images.

    Where several thresholds are as good, that of the highest mean IoU of boxes is taken. The same is done with class
    activation maps, whose heat is divided by their highest on validation images.

    Args:
        samples_path: Table of images.
        split_path: Table of their patches with folds; an image lies in the fold of its patches.
        model_path: Folder of a fitted classifier of patches.
        cut: Fields of `CutSettings`, as the patches were cut.
        localise: Fields of `LocaliseSettings`.
        content_hash: Content hash of the samples; heat of other content is not taken from a cache.
        store: Folder or S3 URL for heat; what a killed try classified is not classified again.
        located_path: Folder for `boxes.parquet`, `.csv` and `.json` (image, x, y, width, height in px, probability),
            the same of class activation as `cam_boxes`, `metrics.json` by method and overlays. Where no image says
            where its defect is, there is no box and no figure.

    Raises:
        DataError: An image cannot be read, or a fold has none.
        ModelError: The classifier knows no clean class.
    """
    from glassline.training.fitted import load_fitted

    with step_run("localise_defects", {"cut": dict(cut), "localise": dict(localise)}) as run:
        cutting, settings = CutSettings.parse(cut), LocaliseSettings.parse(localise)
        table, split = read_samples(samples_path, "images"), read_samples(split_path, "patches", extra=["fold"])
        found: list[_Method] = []
        if tells_places(with_clean(table)):
            folds = _Folds.of(table, split, cutting, settings.laid(cutting.window_px), model_path, open_store(store))
            found = _methods(run, folds, load_fitted(model_path), settings)
            _log(run, found)
        else:
            run.note("no image says where its defect is: nothing is localised")
        with written_whole(located_path) as beside:
            beside.mkdir(parents=True)
            for method, name in ((HEAT, BOXES), (CAM, f"cam_{BOXES}")):
                rows = next((one.rows for one in found if one.name == method), _rows([], []))
                rows.to_parquet(beside / f"{name}.parquet")
                rows.to_csv(beside / f"{name}.csv", index=False)
                rows.to_json(beside / f"{name}.json", orient="records", indent=1)
            (beside / METRICS).write_text(json.dumps({one.name: _told(one.metrics) for one in found}, indent=1))
            if found:
                _draw(run, folds, found, beside)


@dataclass(frozen=True)
class _Folds:
    """Images of both folds, and their heat by a model."""

    images: AnnotatedImages
    names: list[str]
    validation: list[int]
    test: list[int]
    kept: KeptHeat

    @classmethod
    def of(
        cls, table: SampleTable, split: SampleTable, cut: CutSettings, laid: HeatSettings, model_path: str, store: Store
    ) -> "_Folds":
        """Look up which images lie in which fold; see `fold_images`."""
        validation, test = (fold_images(table, split, fold) for fold in (VALIDATION_FOLD, TEST_FOLD))
        images = AnnotatedImages(with_clean(table), False, cut.depth_window, cut.light_state)
        kept = KeptHeat(images, laid, model_key(model_path), store)
        return cls(images, table.rows["id"].tolist(), validation, test, kept)


@dataclass(frozen=True)
class _Method:
    """What one kind of heat found on the test images.

    Attributes:
        name: What is binarised.
        threshold: Heat from which a cell is hot.
        heats: Heat of each test image.
        found: Its boxes.
        rows: The boxes as a table.
        curve: F1 of boxes over the threshold, on validation images.
        metrics: Threshold, scale and figures on test images.
    """

    name: str
    threshold: float
    heats: list[HeatMap]
    found: list[list[Box]]
    rows: pd.DataFrame
    curve: pd.DataFrame
    metrics: dict[str, float]


def _methods(run: StepRun, folds: _Folds, fitted: "Fitted", settings: LocaliseSettings) -> list[_Method]:
    """Localise by probability, and by class activation where the model has one."""
    from glassline.analysis.plain_cam import run_activation
    from glassline.training.run_defective import run_defective

    found = [_localised(run, folds, HEAT, run_defective(fitted), settings)]
    try:
        activation = run_activation(fitted)
    except ModelError as error:
        run.note(f"no class activation to compare with: {error}")
        return found
    return [*found, _localised(run, folds, CAM, activation, settings)]


def _localised(
    run: StepRun, folds: _Folds, method: str, classify: Classify, settings: LocaliseSettings
) -> _Method:  # fmt: skip
    maps, both = {}, [*folds.validation, *folds.test]
    for done, number in enumerate(both, 1):
        maps[number] = folds.kept.heat(number, method, classify)
        run.progress(done, len(both), f"images, {method}")
    scale = 1.0
    if method == CAM:  # logits, whose scale is the model's own
        scale = max(float(maps[number].cells_RC.max()) for number in folds.validation) or 1.0
        maps = {number: replace(heat, value_NM=heat.value_NM / scale) for number, heat in maps.items()}
    curve = threshold_curve(
        [maps[number] for number in folds.validation],
        (folds.images.annotated(number) for number in folds.validation), settings,
    )  # fmt: skip
    threshold = best_threshold(curve)
    if threshold is None:
        threshold = _UNKNOWN
        run.note(f"no box of the {method} hits a defect of a validation image at any threshold: {threshold} is taken")
    tested = [maps[number] for number in folds.test]
    found = [boxes(heat, threshold, settings) for heat in tested]
    hits = [
        image_hits(folds.images.annotated(number), [box.bbox_px for box in here])
        for number, here in zip(folds.test, found, strict=True)
    ]
    rows = _rows([folds.names[number] for number in folds.test], found)
    told = {"threshold": threshold, "scale": scale, **asdict(box_metrics(hits))}
    return _Method(method, threshold, tested, found, rows, curve, told)


def _rows(names: Sequence[str], found: Sequence[Sequence[Box]]) -> pd.DataFrame:
    rows = [(name, *box.bbox_px, box.probability_max) for name, here in zip(names, found, strict=True) for box in here]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _told(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Return figures as JSON holds them: null for what is not defined."""
    return {name: value if np.isfinite(value) else None for name, value in metrics.items()}


def _log(run: StepRun, found: Sequence[_Method]) -> None:
    """Log figures by method, the heat map's under their own names, and what they were chosen by."""
    for one in found:
        prefix = "" if one.name == HEAT else "cam_"
        run.metrics({f"{prefix}{name}": value for name, value in one.metrics.items() if np.isfinite(value)})
        run.table(one.curve, f"{prefix}thresholds")
    run.table(pd.DataFrame([{"method": one.name, **one.metrics} for one in found]), "localisation")


def _draw(run: StepRun, folds: _Folds, found: Sequence[_Method], folder: Path) -> None:
    """Draw a few test images, more of those with a defect."""
    from glassline.report.figures import save_figure
    from glassline.report.heat_map import HeatPanel, heat_map_figure

    drawn = {True: 0, False: 0}
    for place, number in enumerate(folds.test):
        defective = folds.images.has_any(number)
        if drawn[defective] == _SHOWN[defective]:
            continue
        drawn[defective] += 1
        annotated = folds.images.annotated(number)
        panels = [HeatPanel(one.name, one.heats[place], one.threshold, one.found[place]) for one in found]
        name = folds.names[number]
        figure = heat_map_figure(folds.images.pixels(number), panels, annotated, name)
        stem = plain_name(name.removesuffix(Path(name).suffix)).replace("/", "_")
        save_figure(figure, folder / f"heat_{stem}.png")
        run.figure(figure, f"heat_{stem}")

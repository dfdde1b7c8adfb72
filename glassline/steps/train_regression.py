"""Train the severity detector and find its threshold."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glassline.analysis.threshold import MeanIouCurve
from glassline.data.glass_split import numbers_of
from glassline.data.storage import folder_hash, written_whole
from glassline.data.store import open_store
from glassline.steps.label_severity import labelled_images
from glassline.tracking import StepRun, step_run
from glassline.training.settings import RegressionSettings
from glassline.vision.annotated_images import AnnotatedImages, Image
from glassline.vision.cell_tiles import CellTileSettings, RunDetector, score_cells
from glassline.vision.light_states import Real

#: File of the model folder with the threshold, and what it does on the validation images that it was found on.
THRESHOLD = "threshold.json"
#: The curve that it was found on.
CURVE = "threshold.parquet"


def train_regression(
    samples_path: str, labels_path: str, content_hash: str, regression: Mapping[str, Any], seed: int, store: str,
    model_path: str,
) -> str:  # fmt: skip
    """Train on most groups, find the threshold of the pixel filter on others, and return a hash of both.

    The threshold is that of the highest mean IoU over validation images with a defect.

    Args:
        samples_path: Table of images.
        labels_path: Folder written by `label_severity`.
        content_hash: Hash of it; a model of other labels is not taken from a cache.
        regression: Fields of `RegressionSettings`.
        seed: Seed of weights and patches.
        store: Folder or S3 URL for checkpoints; a killed fit resumes from there.
        model_path: Folder for weights, settings, history and `threshold.json`.

    Raises:
        DataError: An image cannot be read, or a defect leaves no clean cell in any patch; names it.
        ModelError: The loss left the finite numbers.
    """
    from glassline.deploy.run_detector import run_detector
    from glassline.report.detection import threshold_figure
    from glassline.report.figures import curves_figure
    from glassline.training.fitted_detector import save_detector
    from glassline.training.regression import fit_detector
    from glassline.training.sharing import end_others

    with step_run("train_regression", {"regression": dict(regression), "seed": seed}) as run:
        settings = RegressionSettings.parse(regression)
        images, split = labelled_images(samples_path, labels_path, settings)
        train, validation = numbers_of(images.groups, split.train), numbers_of(images.groups, split.validation)
        fitted = fit_detector(
            images, train, validation, settings, seed, open_store(store).below("checkpoints"),
            lambda epoch, values: run.epoch(epoch, values, settings.epochs),
        )  # fmt: skip
        end_others()
        curve = threshold_curve(run, images, validation, run_detector(fitted), settings.detector.cell_px)
        best = curve.best()
        with written_whole(model_path) as beside:
            save_detector(fitted, beside)
            (beside / THRESHOLD).write_text(json.dumps(asdict(best), indent=2))
            curve.curve().to_parquet(beside / CURVE)
        if len(fitted.history):
            run.figure(curves_figure(fitted.history), "curves")
        run.figure(threshold_figure(curve.curve(), best), "threshold")
        run.metrics({"parameters": sum(one.numel() for one in fitted.model.parameters())})
        if not best.mean_iou:
            run.note(
                "no validation defect is found at any threshold: the detector has learned nothing, train it longer"
            )
        run.metrics({f"validation_{name}": value for name, value in asdict(best).items()})
        return folder_hash(model_path)


def read_threshold(model_path: str | Path) -> float:
    """Return the threshold of a model folder."""
    return float(json.loads((Path(model_path) / THRESHOLD).read_text())["threshold"])


def severity_of(image: Image, run: RunDetector, cell_px: int) -> Real:
    """Return the severity (R, C) of an image (H, W) or (H, W, 3)."""
    size_px = image.shape[0], image.shape[1]
    return score_cells(lambda at: image[at.pixels], size_px, cell_px, run, CellTileSettings())


def threshold_curve(
    run: StepRun, images: AnnotatedImages, numbers: Sequence[int], detector: RunDetector, cell_px: int
) -> MeanIouCurve:
    """Return the mean IoU of some images at every threshold."""
    curve = MeanIouCurve()
    for done, number in enumerate(numbers, 1):
        curve.add(severity_of(images.pixels(number), detector, cell_px), images.mask(number), cell_px)
        run.progress(done, len(numbers), "validation images")
    return curve

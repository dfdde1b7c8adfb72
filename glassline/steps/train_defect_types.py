"""Train the network that tells types of defects apart, and defects from the detector's false positives."""

from collections.abc import Mapping
from typing import Any

from glassline.data.glass_split import numbers_of
from glassline.data.storage import folder_hash
from glassline.data.store import open_store
from glassline.steps.label_severity import labelled_images
from glassline.steps.train_regression import read_threshold, severity_of
from glassline.tracking import step_run
from glassline.training.settings import DefectTypeSettings
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.cell_tiles import RunDetector
from glassline.vision.defects import DefectSettings, defect_mask, find_defects
from glassline.vision.type_sources import FalsePositive

# False positives that are learned from, of an image at most: the most severe.
_MOST = 16
# On images that it was trained on a detector finds little that is no defect: what is half as severe will do.
_LOWER = 0.5


def train_defect_types(
    samples_path: str, labels_path: str, model_path: str, defect_types: Mapping[str, Any], defects: Mapping[str, Any],
    seed: int, store: str, types_path: str,
) -> str:  # fmt: skip
    """Train on the defects of the training images and on what the detector falsely finds there; return a hash.

    Args:
        samples_path: Table of images.
        labels_path: Folder written by `label_severity`.
        model_path: Folder written by `train_regression`.
        defect_types: Fields of `DefectTypeSettings`.
        defects: Fields of `JoinSettings`.
        seed: Seed of weights and windows.
        store: Folder or S3 URL for checkpoints; a killed fit resumes from there.
        types_path: Folder for weights, settings and history.

    Raises:
        DataError: An image cannot be read; names it.
        ModelError: The loss left the finite numbers.
    """
    from glassline.deploy.run_detector import run_detector
    from glassline.report.figures import curves_figure
    from glassline.training.defect_types import fit_types
    from glassline.training.fitted_detector import load_detector
    from glassline.training.fitted_types import save_types
    from glassline.training.sharing import end_others

    with step_run("train_defect_types", {"defect_types": dict(defect_types), "seed": seed}) as run:
        settings, detector = DefectTypeSettings.parse(defect_types), load_detector(model_path)
        images, split = labelled_images(samples_path, labels_path, detector.settings)
        train, validation = numbers_of(images.groups, split.train), numbers_of(images.groups, split.validation)
        lower = DefectSettings.parse({**defects, "threshold": _LOWER * read_threshold(model_path)})
        cell_px, detect = detector.settings.detector.cell_px, run_detector(detector)
        wrong: list[FalsePositive] = []
        passed_over = 0
        for done, number in enumerate([*train, *validation], 1):
            boxes = false_positives(images, number, detect, cell_px, lower)
            wrong += [(number, box) for box in boxes[:_MOST]]
            passed_over += max(len(boxes) - _MOST, 0)
            run.progress(done, len(train) + len(validation), "images searched for false positives")
        fitted = fit_types(
            images, train, validation, wrong, settings, seed, open_store(store).below("checkpoints"),
            lambda epoch, values: run.epoch(epoch, values, settings.epochs),
        )  # fmt: skip
        end_others()
        save_types(fitted, types_path)
        if len(fitted.history):
            run.figure(curves_figure(fitted.history), "curves")
        counts = fitted.counts
        if passed_over:
            run.note(f"{passed_over} false positives beyond the {_MOST} most severe of an image are not learned from")
        run.metrics({"false_positives": counts.false_positives, "random_clean": counts.random_clean})
        run.metrics({f"defects_{name}": count for name, count in counts.defects.items()})
        if counts.untrained:
            run.note(f"no training image has a defect of {', '.join(counts.untrained)}: it cannot be told")
        return folder_hash(types_path)


def false_positives(
    images: AnnotatedImages, number: int, detect: RunDetector, cell_px: int, settings: DefectSettings
) -> list[tuple[int, int, int, int]]:
    """Return the boxes of what is found but holds no pixel of an annotated defect, the most severe first."""
    severity_RC = severity_of(images.pixels(number), detect, cell_px)
    size, mask_HW = images.sizes_px[number], images.mask(number)
    boxes = []
    for one in find_defects(severity_RC, cell_px, size, settings):
        x, y, width, height = one.bbox_px
        if not (mask_HW[y : y + height, x : x + width] & defect_mask(one, cell_px, size)).any():
            boxes.append(one.bbox_px)
    return boxes

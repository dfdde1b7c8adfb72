"""The methods that are tuned, each fitted with some settings and judged on samples that no test ever sees.

Classifiers are judged on folds other than the test fold, the networks of systems C and E on the glasses that their own
training chooses by.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from glassline.data.glass_split import numbers_of, split_glasses
from glassline.data.samples import read_samples
from glassline.data.splits import check_leak, is_real
from glassline.data.storage import code_hash
from glassline.data.store import Store
from glassline.errors import DataError, SettingsError
from glassline.models.settings import MODEL_NAMES
from glassline.steps.train_ensemble import TEST_FOLD, VALIDATION_FOLD
from glassline.tuning.spaces import SEVERITY
from glassline.tuning.subject import Subject, Watch

#: Settings of the detector that its labels follow from.
_READ_BY = {"detector", "depth_window", "light_state"}


@dataclass(frozen=True)
class Classifier(Subject):
    """A classifier of patches, judged on some folds by the units they hold; steps count epochs over all folds."""

    folds: tuple[int, ...] = (VALIDATION_FOLD,)

    def __post_init__(self) -> None:
        """Check the folds.

        Raises:
            DataError: A fold is the test fold or not there, nothing is left to train on, or a group lies in two.
        """
        check_leak(self.table)
        known = sorted({int(fold) for fold in self.table.rows["fold"]})
        allowed = [fold for fold in known if fold != TEST_FOLD]
        if not self.folds or not set(self.folds) <= set(allowed) or len(allowed) < 2:
            raise DataError(
                f"trials must be judged on folds of {allowed} (fold {TEST_FOLD} is the test's), with another one to "
                f"train on, got {list(self.folds)}; choose --fold among them, or split into three folds or more"
            )

    @property
    def judged_on(self) -> str:
        """Folds."""
        return f"fold {', '.join(str(fold) for fold in self.folds)}"

    def judge(self, settings: Any, checkpoints: Store, watch: Watch) -> dict[str, float]:
        """See `Subject`: one fit per fold, figures pooled over folds."""
        import pandas as pd

        from glassline.analysis.metrics import classifier_metrics
        from glassline.analysis.pooling import judge_units
        from glassline.training.fitted import predict
        from glassline.training.loop import fit_model

        fold_N, parts = self.table.rows["fold"].to_numpy(), []
        for place, fold in enumerate(self.folds):
            told = _with_score(watch, "val_macro_f1", 1, place * settings.epochs)
            validation_N = np.flatnonzero((fold_N == fold) & is_real(self.table))
            train_N = np.flatnonzero((fold_N != fold) & (fold_N != TEST_FOLD))
            fitted = fit_model(
                self.method, self.table, train_N, validation_N, settings, self.seed + fold, checkpoints, told
            )
            probability_NC = predict(fitted, self.table, validation_N)
            rows = self.table.rows.iloc[validation_N]
            parts.append(judge_units(rows, probability_NC, self.table.classes, self.table.clean_class))
        judged = pd.concat(parts, ignore_index=True)
        return classifier_metrics(judged["actual"], judged["predicted"], self.table.classes).as_dict()


@dataclass(frozen=True)
class Segmenter(Subject):
    """A network of system C, judged by the pixels of the validation glasses at the best threshold."""

    objective = "pixel_f1"
    group = "segmentation"
    judged_on = "validation glasses"

    def judge(self, settings: Any, checkpoints: Store, watch: Watch) -> dict[str, float]:
        """See `Subject`."""
        from glassline.steps.train_unet import captured_zones
        from glassline.training.segmentation import fit_segmenter
        from glassline.tuning.pixel_scores import segmenter_scores

        zones = captured_zones(self.table, settings.labels)
        split = split_glasses(zones.groups, [zones.has_any(number) for number in range(len(zones))], self.seed)
        train, validation = numbers_of(zones.groups, split.train), numbers_of(zones.groups, split.validation)
        told = _with_score(watch, "val_loss", -1)
        fitted = fit_segmenter(zones, train, validation, settings, self.seed, checkpoints, told)
        return segmenter_scores(fitted, zones, validation)


@dataclass(frozen=True)
class Detector(Subject):
    """The severity detector of system E, judged by the mean IoU of validation images at the best threshold."""

    objective = "mean_iou"
    group = "regression"
    judged_on = "validation groups"

    @cached_property
    def _samples(self) -> str:
        path = self.folder / "samples.parquet"
        self.table.write(path)
        return str(path)

    def _key(self, settings: Any) -> str:
        """Return a name for what labels and their split follow from: data, seed and how images are read."""
        read = settings.model_dump(mode="json", include=_READ_BY)
        told = [self.data_hash, self.seed, read, code_hash("vision", "data")]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def judge(self, settings: Any, checkpoints: Store, watch: Watch) -> dict[str, float]:
        """See `Subject`; severity is labelled once for all trials."""
        from glassline.steps.label_severity import label_severity, labelled_images
        from glassline.training.regression import fit_detector
        from glassline.tuning.pixel_scores import detector_scores

        labels = str(self.folder / f"labels-{self._key(settings)}")
        if not Path(labels).is_dir():
            label_severity(self._samples, self.data_hash, settings.model_dump(), self.seed, labels)
        images, split = labelled_images(self._samples, labels, settings)
        train, validation = numbers_of(images.groups, split.train), numbers_of(images.groups, split.validation)
        told = _with_score(watch, "val_loss", -1)
        fitted = fit_detector(images, train, validation, settings, self.seed, checkpoints, told)
        return detector_scores(fitted, images, validation)


def read_subject(method: str, path: str, folds: Sequence[int], seed: int, folder: Path) -> Subject:
    """Return what is tuned.

    Args:
        method: Name of a method.
        path: Table of patches with folds for classifiers, of images for the others.
        folds: Folds that a classifier is judged on; none takes the validation fold.
        seed: Seed of every fit, and of the split of glasses.
        folder: Where it may keep what all trials share.

    Raises:
        DataError: The table is of the other kind or has no folds, or a fold cannot be judged on.
        SettingsError: Folds are named for a method that knows none.
    """
    if method in MODEL_NAMES:
        table = read_samples(path, "patches", extra=["fold"])
        return Classifier(method, table, seed, folder, tuple(dict.fromkeys(folds)) or (VALIDATION_FOLD,))
    if folds:
        raise SettingsError(f"--fold is of classifiers, got {list(folds)} for {method}; leave it out")
    kind = Detector if method == SEVERITY else Segmenter
    return kind(method, read_samples(path, "images"), seed, folder)


def _with_score(watch: Watch, name: str, sign: int, first: int = 0) -> Callable[[int, dict[str, float]], None]:
    """Return a hook that tells the score of an epoch; one that was not validated has none."""

    def told(epoch: int, values: dict[str, float]) -> None:
        watch(first + epoch, sign * values.get(name, float("nan")), values)

    return told

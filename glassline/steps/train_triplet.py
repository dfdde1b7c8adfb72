"""Train the metric network that is exported beside the classifier."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from glassline.data.samples import SampleTable, read_samples
from glassline.data.splits import test_rows
from glassline.errors import SettingsError
from glassline.models.settings import METRIC_MODEL_NAMES
from glassline.steps.train_ensemble import TEST_FOLD, train_and_write, training_rows
from glassline.tracking import StepRun, step_run
from glassline.training.settings import TrainingSettings


def train_triplet(
    augmented_path: str, model: str, training: Mapping[str, Any], seed: int, store: str, model_path: str
) -> None:
    """Train a metric network on the folds that `train_ensemble` trains on, and show how far classes are apart.

    A class with one sample there is left out, and noted: the bundle does not know it, and it can be enrolled.

    Args:
        augmented_path: Table of patches with folds and augmented copies.
        model: triplet or siamese.
        training: Fields of `TrainingSettings`.
        seed: Seed of the fit.
        store: Folder or S3 URL for checkpoints; a killed fit resumes from there.
        model_path: Folder for weights, references, settings and history.

    Raises:
        SettingsError: Another model's name.
        DataError: A table without folds, or fewer than two classes to train on.
        ModelError: All embeddings became one point, or the loss left the finite numbers.
    """
    from glassline.analysis.separation import separation
    from glassline.report.separation import separation_figure

    with step_run("train_triplet", {"model": model, "training": dict(training), "seed": seed}) as run:
        if model not in METRIC_MODEL_NAMES:
            raise SettingsError(f"train_triplet trains {' or '.join(METRIC_MODEL_NAMES)}, got {model}; choose one")
        table = read_samples(augmented_path, "patches", extra=["fold", "augmentation"])
        train_N = with_pairs(run, table, training_rows(table), model)
        settings = TrainingSettings.parse(training)
        fitted = train_and_write(run, table, train_N, model, settings, seed, store, model_path)
        apart = separation(fitted, table, test_rows(table, TEST_FOLD))
        run.figure(separation_figure(apart), "separation")
        run.metrics({"nearer_to_own": float((apart["own"] < apart["other"]).mean())})


def with_pairs(run: StepRun, table: SampleTable, train_N: npt.NDArray[np.intp], model: str) -> npt.NDArray[np.intp]:
    """Return training rows without classes of which there is one sample, which are noted: it has no pair."""
    from glassline.training.metric import lone_classes

    alone = lone_classes(table, train_N)
    if alone:
        run.note(f"{alone} have one sample to train on and are left out: {model} does not know them; enrol them")
        train_N = train_N[~table.rows["label"].iloc[train_N].isin(alone).to_numpy()]
    return train_N

"""Train the metric network that is exported beside the classifier."""

from collections.abc import Mapping
from typing import Any

from glassline.data.samples import read_samples
from glassline.data.splits import test_rows
from glassline.errors import SettingsError
from glassline.models.settings import METRIC_MODEL_NAMES
from glassline.steps.train_ensemble import TEST_FOLD, train_and_write
from glassline.tracking import step_run
from glassline.training.settings import TrainingSettings


def train_triplet(
    augmented_path: str, model: str, training: Mapping[str, Any], seed: int, store: str, model_path: str
) -> None:
    """Train a metric network on the folds that `train_ensemble` trains on, and show how far classes are apart.

    Args:
        augmented_path: Table of patches with folds and augmented copies.
        model: triplet or siamese.
        training: Fields of `TrainingSettings`.
        seed: Seed of the fit.
        store: Folder for checkpoints; a killed fit resumes from there.
        model_path: Folder for weights, references, settings and history.

    Raises:
        SettingsError: Another model's name.
        DataError: A table without folds, fewer than two classes, or a class with one sample.
        ModelError: All embeddings became one point, or the loss left the finite numbers.
    """
    from glassline.analysis.separation import separation
    from glassline.report.separation import separation_figure

    with step_run("train_triplet", {"model": model, "training": dict(training), "seed": seed}) as run:
        if model not in METRIC_MODEL_NAMES:
            raise SettingsError(f"train_triplet trains {' or '.join(METRIC_MODEL_NAMES)}, got {model}; choose one")
        table = read_samples(augmented_path, "patches", extra=["fold", "augmentation"])
        fitted = train_and_write(run, table, model, TrainingSettings.parse(training), seed, store, model_path)
        apart = separation(fitted, table, test_rows(table, TEST_FOLD))
        run.figure(separation_figure(apart), "separation")
        run.metrics({"nearer_to_own": float((apart["own"] < apart["other"]).mean())})

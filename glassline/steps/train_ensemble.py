"""Train the model that is exported."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from glassline.analysis.pooling import judge_units
from glassline.data.samples import SampleTable, read_samples
from glassline.data.splits import test_rows, train_rows
from glassline.data.store import open_store
from glassline.tracking import StepRun, step_run
from glassline.training.settings import TrainingSettings

if TYPE_CHECKING:
    from glassline.training.fitted import Fitted
    from glassline.training.warm_start import WarmStart

#: The folds that the exported model never trains on: one to test and to gate with, one for early stopping.
TEST_FOLD, VALIDATION_FOLD = 0, 1


def train_ensemble(
    augmented_path: str, model: str, training: Mapping[str, Any], seed: int, store: str, model_path: str
) -> None:
    """Train a model on all folds but the test and validation ones and write it.

    Args:
        augmented_path: Table of patches with folds and augmented copies.
        model: Name of the model, as in `glassline models`.
        training: Fields of `TrainingSettings`.
        seed: Seed of the fit.
        store: Folder or S3 URL for checkpoints; a killed fit resumes from there.
        model_path: Folder for weights, settings and history.

    Raises:
        DataError: A table without folds, or fewer than two classes to train on.
        ModelError: The loss left the finite numbers.
    """
    with step_run("train_ensemble", {"model": model, "training": dict(training), "seed": seed}) as run:
        table = read_samples(augmented_path, "patches", extra=["fold", "augmentation"])
        train_and_write(
            run, table, training_rows(table), model, TrainingSettings.parse(training), seed, store, model_path
        )


def training_rows(table: SampleTable) -> npt.NDArray[np.intp]:
    """Return the rows of all folds but the test and validation ones, augmented copies included."""
    return np.setdiff1d(train_rows(table, TEST_FOLD), np.flatnonzero(table.rows["fold"] == VALIDATION_FOLD))


def train_and_write(
    run: StepRun, table: SampleTable, train_N: npt.NDArray[np.intp], model: str, settings: TrainingSettings, seed: int,
    store: str, model_path: str, start: "WarmStart | None" = None,
) -> "Fitted":  # fmt: skip
    """Train on rows of `training_rows`, write the model, log curves and accuracy, and return it."""
    from glassline.report.figures import curves_figure
    from glassline.training.fitted import predict, save_fitted
    from glassline.training.loop import fit_model
    from glassline.training.sharing import end_others

    validation_N = test_rows(table, VALIDATION_FOLD)
    fitted = fit_model(
        model, table, train_N, validation_N, settings, seed, open_store(store).below("checkpoints"),
        lambda epoch, values: run.metrics(values, step=epoch), start=start,
    )  # fmt: skip
    end_others()
    save_fitted(fitted, model_path)
    if fitted.start:
        run.note(f"{model} started from these weights: {fitted.start}")
    test_N = test_rows(table, TEST_FOLD)
    judged = judge_units(table.rows.iloc[test_N], predict(fitted, table, test_N), table.classes, table.clean_class)
    run.metrics({"accuracy": float((judged["actual"] == judged["predicted"]).mean()), "units": len(judged)})
    if len(fitted.history):
        run.figure(curves_figure(fitted.history), "curves")
    return fitted

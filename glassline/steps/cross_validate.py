"""Train and test every model on some of the folds."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.metrics import classifier_metrics
from glassline.analysis.pooling import judge_units
from glassline.data.samples import SampleTable, read_samples
from glassline.data.splits import check_leak, test_rows, train_rows
from glassline.data.storage import code_hash, content_key, written_whole
from glassline.data.store import Store, open_store
from glassline.tracking import StepRun, step_run
from glassline.training.methods import fit_and_predict
from glassline.training.settings import TrainingSettings

if TYPE_CHECKING:
    from glassline.training.history import EpochHook

Rows = npt.NDArray[np.intp]
Judged = tuple[npt.NDArray[np.float32], pd.DataFrame]
FitAndPredict = Callable[[Rows, Rows, "EpochHook"], Judged]


def cross_validate(
    augmented_path: str, models: Sequence[str], folds: Sequence[int], training: Mapping[str, Any],
    seed: int, store: str, threads: int, predictions_path: str,
) -> None:  # fmt: skip
    """Fit each model once per fold on all other folds, and write its predictions on that fold.

    A fold that a killed try finished is read from the store, not trained again.

    Args:
        augmented_path: Table of patches with folds and augmented copies.
        models: Names of the models, as in `glassline models`, or of `COMPARATOR_NAMES`.
        folds: Which folds to test on in this part.
        training: Fields of `TrainingSettings`; patience must be 0, since no fold is left to stop by.
        seed: Seed of every fit.
        store: Folder or S3 URL for checkpoints and finished folds.
        threads: CPU threads of a fit; parts that share a machine share its cores.
        predictions_path: Folder for `predictions.parquet` (one row per model, fold and unit) and
            `history.parquet` (one row per model, fold and epoch).

    Raises:
        DataError: A table without folds, or a leak.
    """
    params = {"models": list(models), "folds": list(folds), "training": dict(training), "seed": seed}
    with step_run("cross_validate", params, part=f"folds {', '.join(str(int(fold)) for fold in folds)}") as run:
        settings = TrainingSettings.parse({**training, "patience": 0, "threads": threads})
        table = read_samples(augmented_path, "patches", extra=["fold", "augmentation"])
        check_leak(table)
        what = [
            table.content_hash(), settings.model_dump(), seed, code_hash("models", "training", "analysis", "vision"),
        ]  # fmt: skip
        key = content_key(what)
        place = open_store(store)

        def fit(name: str, fold: int, train_N: Rows, test_N: Rows, on_epoch: "EpochHook") -> Judged:
            below = place.below("checkpoints")
            return fit_and_predict(name, table, train_N, test_N, settings, seed + fold, below, on_epoch)

        results = [
            validate_fold(run, table, name, fold, f"folds/{key}", place, partial(fit, name, fold))
            for fold in map(int, folds)
            for name in models
        ]
        write_folds(results, predictions_path)


def validate_fold(
    run: StepRun, table: SampleTable, name: str, fold: int, finished: str, store: Store, fit: FitAndPredict
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the predictions and the history of one model on one fold, and log them as a child run.

    Args:
        run: Run of the step.
        table: Table of patches with folds.
        name: What the model is called in the predictions.
        fold: Fold to test on.
        finished: Name in the store of what decides a fit, so that a finished fold is read from there.
        store: Where finished folds are.
        fit: Fits on some rows and returns probabilities (N, C) of others and the history; it is told rows to train on,
            rows to judge, and whom to tell metrics of every epoch.
    """
    with run.child(f"fold {fold} {name}") as child:
        child.params({"model": name, "fold": fold})

        def make(folder: Path) -> None:
            test_N = test_rows(table, fold)
            probability_NC, history = fit(
                train_rows(table, fold), test_N, lambda epoch, values: child.metrics(values, step=epoch)
            )
            judged = judge_units(table.rows.iloc[test_N], probability_NC, table.classes, table.clean_class)
            judged.insert(0, "model", name)
            judged.insert(1, "fold", fold)
            folder.mkdir(parents=True)
            judged.to_parquet(folder / "predictions.parquet")
            history.assign(model=name, fold=fold).to_parquet(folder / "history.parquet")

        place = store.made(f"{finished}/{name}-{fold}", make)
        judged = pd.read_parquet(place.file("predictions.parquet"))
        metrics = classifier_metrics(judged["actual"], judged["predicted"], table.classes)
        child.metrics(metrics.as_dict())
        print(f"{run.name}: fold {fold} {name} accuracy {metrics.accuracy:.3f}", flush=True)
        return judged, pd.read_parquet(place.file("history.parquet"))


def write_folds(results: Sequence[tuple[pd.DataFrame, pd.DataFrame]], predictions_path: str) -> pd.DataFrame:
    """Write what `validate_fold` returned of several folds as a folder, and return all predictions."""
    predictions = pd.concat([judged for judged, _ in results], ignore_index=True)
    with written_whole(predictions_path) as beside:
        beside.mkdir(parents=True)
        predictions.to_parquet(beside / "predictions.parquet")
        pd.concat([history for _, history in results], ignore_index=True).to_parquet(beside / "history.parquet")
    return predictions

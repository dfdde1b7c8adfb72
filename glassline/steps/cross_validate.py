"""Train and test every model on some of the folds."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.analysis.metrics import classifier_metrics
from glassline.analysis.pooling import judge_units
from glassline.data.samples import SampleTable, read_samples
from glassline.data.splits import check_leak, test_rows, train_rows
from glassline.data.storage import code_hash, written_whole
from glassline.tracking import StepRun, step_run
from glassline.training.methods import fit_and_predict
from glassline.training.settings import TrainingSettings


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
        store: Folder for checkpoints and finished folds.
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
        key = hashlib.sha256(
            json.dumps(
                [
                    table.content_hash(),
                    settings.model_dump(),
                    seed,
                    code_hash("models", "training", "analysis", "vision"),
                ]
            ).encode()
        ).hexdigest()[:24]
        results = [
            _fold(run, table, name, int(fold), settings, seed, Path(store) / "folds" / key, Path(store))
            for fold in folds
            for name in models
        ]
        with written_whole(predictions_path) as beside:
            beside.mkdir(parents=True)
            pd.concat([judged for judged, _ in results], ignore_index=True).to_parquet(beside / "predictions.parquet")
            pd.concat([history for _, history in results], ignore_index=True).to_parquet(beside / "history.parquet")


def _fold(
    run: StepRun, table: SampleTable, name: str, fold: int, settings: Any, seed: int, finished: Path, store: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the predictions and the history of one model on one fold, and log them as a child run."""
    place = finished / f"{name}-{fold}"
    with run.child(f"fold {fold} {name}") as child:
        child.params({"model": name, "fold": fold})
        if not place.is_dir():
            test_N = test_rows(table, fold)
            probability_NC, history = fit_and_predict(
                name, table, train_rows(table, fold), test_N, settings, seed + fold, store / "checkpoints",
                lambda epoch, values: child.metrics(values, step=epoch),
            )  # fmt: skip
            judged = judge_units(table.rows.iloc[test_N], probability_NC, table.classes, table.clean_class)
            judged.insert(0, "model", name)
            judged.insert(1, "fold", fold)
            with written_whole(place) as beside:
                beside.mkdir(parents=True)
                judged.to_parquet(beside / "predictions.parquet")
                history.assign(model=name, fold=fold).to_parquet(beside / "history.parquet")
        judged = pd.read_parquet(place / "predictions.parquet")
        metrics = classifier_metrics(judged["actual"], judged["predicted"], table.classes)
        child.metrics(metrics.as_dict())
        print(f"cross_validate: fold {fold} {name} accuracy {metrics.accuracy:.3f}", flush=True)
        return judged, pd.read_parquet(place / "history.parquet")

"""How much data does each method need: accuracy against images per class."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.metrics import classifier_metrics
from glassline.analysis.pooling import judge_units
from glassline.data.balanced import draw_per_class
from glassline.data.samples import SampleTable, read_samples
from glassline.data.splits import is_real, test_rows, train_rows
from glassline.data.storage import code_hash, content_key, written_whole
from glassline.data.store import Store, open_store
from glassline.errors import DataError, SettingsError
from glassline.tracking import step_run
from glassline.training.methods import check_methods, fit_and_predict, for_few_rows
from glassline.training.settings import TrainingSettings

#: Files of the learning curve's folder.
CURVE, FIGURE = "learning_curve.parquet", "learning_curve.png"


def learning_curve(
    split_path: str, models: Sequence[str], per_class: Sequence[int], training: Mapping[str, Any], seed: int,
    store: str, curve_path: str,
) -> pd.DataFrame:  # fmt: skip
    """Train each method on so many patches of each class, test it on the images of a fold, once per fold.

    Drawn patches are nested: 10 of a class hold the 5 before. A class with fewer has all of them. Networks are trained
    for `least_steps` at least. What a killed try trained is read from the store.

    Args:
        split_path: Table of patches with folds.
        models: Names of the methods, as in `glassline models`, or of `COMPARATOR_NAMES`.
        per_class: Patches of a class to train on, at least 2; numbers that no class has are left out.
        training: Fields of `TrainingSettings`.
        seed: Seed of the draws and fits.
        store: Folder or S3 URL for checkpoints and finished fits.
        curve_path: Folder for `learning_curve.parquet` and its figure.

    Returns:
        One row per model, number and fold: model, per_class, fold, patches trained on in all, accuracy, macro_f1.

    Raises:
        SettingsError: A name is unknown, or a number under 2.
        DataError: A table without folds, or of which no class has as many patches.
    """
    from glassline.report.figures import save_figure
    from glassline.report.learning_curve import learning_curve_figure

    params = {"models": list(models), "per_class": list(per_class), "training": dict(training), "seed": seed}
    with step_run("learning_curve", params) as run:
        settings = TrainingSettings.parse({**training, "patience": 0, "clean_ratio": 0})
        table = read_samples(split_path, "patches", extra=["fold"])
        models = list(dict.fromkeys(models))
        folds = sorted({int(fold) for fold in table.rows["fold"]})
        rows = []
        for number in _amounts(table, models, per_class, folds):
            for fold in folds:
                train_N = draw_per_class(table, train_rows(table, fold), number, seed + fold)
                for name in models:
                    told = _fit_and_test(table, name, train_N, fold, settings, seed, open_store(store))
                    rows.append({"model": name, "per_class": number, "fold": fold, "patches": len(train_N), **told})
            done = pd.DataFrame([row for row in rows if row["per_class"] == number])
            means = done.groupby("model", sort=False)[["accuracy", "macro_f1"]].mean()
            for model, mean in means.iterrows():
                run.metrics({f"{key}_{model}": float(value) for key, value in mean.items()}, step=number)
                print(f"learning_curve: {number} of a class, {model}: macro F1 {mean['macro_f1']:.3f}", flush=True)
        curve = pd.DataFrame(rows)
        figure = learning_curve_figure(curve)
        with written_whole(curve_path) as beside:
            beside.mkdir(parents=True)
            curve.to_parquet(beside / CURVE)
            save_figure(figure, beside / FIGURE)
        run.figure(figure, "learning_curve")
        run.table(curve, "learning_curve")
        return curve


def _amounts(table: SampleTable, models: Sequence[str], per_class: Sequence[int], folds: Sequence[int]) -> list[int]:
    """Return the numbers that some class has in every fold's training rows; says which are left out."""
    check_methods(models)
    if not per_class or min(per_class) < 2:
        raise SettingsError(f"per_class must be numbers of 2 or more, got {list(per_class)}; distances need pairs")
    real_N = is_real(table)
    of_folds = [
        table.rows["label"].iloc[rows_N[real_N[rows_N]]] for rows_N in (train_rows(table, one) for one in folds)
    ]
    largest = min(int(labels.value_counts().max()) for labels in of_folds)
    kept = sorted({number for number in per_class if number <= largest})
    if not kept:
        raise DataError(
            f"per_class must not exceed the largest class, {largest} patches, got {min(per_class)}; lower it"
        )
    beyond = sorted(set(per_class) - set(kept))
    if beyond:
        print(f"learning_curve: {beyond} of a class left out, no class has more than {largest} to train on", flush=True)
    return kept


def _fit_and_test(
    table: SampleTable, name: str, train_N: npt.NDArray[np.intp], fold: int, settings: TrainingSettings, seed: int,
    store: Store,
) -> dict[str, float]:  # fmt: skip
    """Return accuracy and macro F1 on a fold; fitted unless the store knows them."""
    settings = for_few_rows(settings, len(train_N))
    what = [
        name, table.content_hash(), hashlib.sha256(train_N.tobytes()).hexdigest(), fold, settings.model_dump(), seed,
        code_hash("models", "training", "analysis", "vision"),
    ]  # fmt: skip
    kept = f"learning_curve/{content_key(what)}.json"
    if store.found(kept) is None:
        test_N = test_rows(table, fold)
        probability_NC, _ = fit_and_predict(
            name, table, train_N, test_N, settings, seed + fold, store.below("checkpoints"), lambda *told: None
        )
        judged = judge_units(table.rows.iloc[test_N], probability_NC, table.classes, table.clean_class)
        metrics = classifier_metrics(judged["actual"], judged["predicted"], table.classes)
        with store.keep(kept) as beside:
            beside.write_text(json.dumps({"accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1}))
    return dict(json.loads(store.file(kept).read_text()))

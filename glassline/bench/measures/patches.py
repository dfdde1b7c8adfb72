"""Simulated line-scan images as patches with folds, and methods judged on them; shared by systems A and B."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glassline.analysis.metrics import ClassifierMetrics, classifier_metrics
from glassline.analysis.pooling import judge_units
from glassline.bench.measured import Bench
from glassline.data.importers import read_source
from glassline.data.samples import SampleTable
from glassline.data.splits import assign_folds, test_rows, train_rows
from glassline.data.storage import code_hash, content_key
from glassline.training.methods import fit_and_predict
from glassline.training.settings import TrainingSettings
from glassline.vision.augment import AugmentSettings, augment_table
from glassline.vision.patches import ExtractSettings, extract_patches

#: By size: folds, and epochs of networks; those of the presets of `retrain`.
_FOLDS, _EPOCHS = (3, 5, 10), (2, 6, 20)


def split_patches(bench: Bench) -> SampleTable:
    """Return the patches of the entry's images with folds grouped by glass."""
    images = read_source(bench.data, "coco", product="bench")
    shards = bench.store.below("shards").url
    patches, _ = extract_patches(images, shards, ExtractSettings(), lambda done, total: None)
    return assign_folds(patches, bench.sized(*_FOLDS), bench.seed)


def with_copies(table: SampleTable, bench: Bench, flip: bool = True, clahe: bool = False) -> SampleTable:
    """Return the table with one copy of each patch: flipped and shifted, or with CLAHE too."""
    settings = AugmentSettings(copies=1, flip=flip, clahe=clahe)
    return augment_table(table, settings, bench.seed)


def training(bench: Bench, **changes: object) -> TrainingSettings:
    """Return how networks are trained at this size."""
    return TrainingSettings.parse({"epochs": bench.sized(*_EPOCHS), "threads": bench.threads, **changes})


def judged(bench: Bench, table: SampleTable, models: Sequence[str], settings: TrainingSettings) -> pd.DataFrame:
    """Return pooled decisions of every fold: model, fold, unit, group, actual, predicted; kept fold by fold."""
    folds = sorted({int(fold) for fold in table.rows["fold"]})
    parts = [judged_fold(bench, table, name, fold, settings) for name in models for fold in folds]
    return pd.concat(parts, ignore_index=True)


def judged_fold(bench: Bench, table: SampleTable, name: str, fold: int, settings: TrainingSettings) -> pd.DataFrame:
    """Return the decisions of one method on one fold; from the store where it is known."""
    what = [
        name, fold, table.content_hash(), settings.model_dump(), bench.seed,
        code_hash("models", "training", "analysis", "vision"),
    ]  # fmt: skip
    key = content_key(what)

    def make(folder: Path) -> None:
        test_N = test_rows(table, fold)
        probability_NC, _ = fit_and_predict(
            name, table, train_rows(table, fold), test_N, settings, bench.seed + fold,
            bench.store.below("checkpoints"), lambda *told: None,
        )  # fmt: skip
        rows = judge_units(table.rows.iloc[test_N], probability_NC, table.classes, table.clean_class)
        folder.mkdir(parents=True)
        rows.assign(model=name, fold=fold).to_parquet(folder / "judged.parquet")

    return pd.read_parquet(bench.store.made(f"bench-folds/{key}", make).file("judged.parquet"))


def metrics_by_model(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, ClassifierMetrics]:
    """Return the figures of each model, all folds pooled."""
    return {
        str(name): classifier_metrics(part["actual"], part["predicted"], classes)
        for name, part in rows.groupby("model", sort=False)
    }

"""Pool the folds: confusion matrices, metrics and curves of every model."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glassline.analysis.defect_rates import defect_rates
from glassline.analysis.metrics import classifier_metrics, grouped_metrics
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.tracking import parent_tags, step_run

#: Files of the evaluation folder.
PREDICTIONS, METRICS, FOLDS = "predictions.parquet", "metrics.json", "folds.parquet"


def evaluate_classifier(prediction_paths: Sequence[str], augmented_path: str, model: str, evaluation_path: str) -> None:
    """Pool the predictions of all folds and write metrics, tables and figures.

    Args:
        prediction_paths: Folders written by `cross_validate`, one per part.
        augmented_path: The table they were made from: every unit of it must be judged once per model.
        model: Name of the model whose metrics the pipeline's run shows.
        evaluation_path: Folder for `predictions.parquet`, `metrics.json`, `folds.parquet` and PNG figures.

    Raises:
        DataError: A unit was judged twice or not at all.
    """
    from glassline.report.figures import confusion_figure, curves_figure, fold_box_figure, save_figure

    with step_run("evaluate_classifier", {"parts": len(prediction_paths), "model": model}) as run:
        table = read_samples(augmented_path, "patches", extra=["fold"])
        pooled = _pool(prediction_paths, PREDICTIONS)
        _check_complete(pooled, set(table.rows["unit"]))
        history = _pool(prediction_paths, "history.parquet")
        by_model = {
            str(name): grouped_metrics(
                rows["actual"].tolist(), rows["predicted"].tolist(), rows["group"].tolist(), table.classes
            )
            for name, rows in pooled.groupby("model", sort=False)
        }
        flat = {
            name: one.as_dict() | defect_rates(*_told(pooled, name), table.clean_class)
            for name, one in by_model.items()
        }
        folds = _by_fold(pooled, table.classes)
        with written_whole(evaluation_path) as beside:
            beside.mkdir(parents=True)
            pooled.to_parquet(beside / PREDICTIONS)
            folds.to_parquet(beside / FOLDS)
            (beside / METRICS).write_text(json.dumps(flat, indent=2))
            figures = {
                f"confusion_{name}": confusion_figure(one.confusion, one.classes, f"{name}, all folds")
                for name, one in by_model.items()
            }
            figures["folds"] = fold_box_figure(folds)
            if len(history):
                figures["curves"] = curves_figure(history)
            for name, figure in figures.items():
                save_figure(figure, beside / f"{name}.png")
                run.figure(figure, name)
        for name, metrics in flat.items():
            with run.child(name) as child:
                child.params({"model": name})
                child.metrics(metrics)
        run.metrics(flat[model])
        run.table(pd.DataFrame([{"model": name, **metrics} for name, metrics in flat.items()]), "models")
        run.table(folds, "folds")
        parent_tags({"model": model, "method": model}, flat[model])


def _pool(paths: Sequence[str], name: str) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(Path(path) / name) for path in paths], ignore_index=True)


def _check_complete(pooled: pd.DataFrame, units: set[str]) -> None:
    for name, rows in pooled.groupby("model"):
        repeated = rows["unit"][rows["unit"].duplicated()]
        missing = units - set(rows["unit"])
        if len(repeated) or missing:
            raise DataError(
                f"every unit must be judged once by {name}, {len(repeated)} were judged twice and {len(missing)} not "
                "at all; give each fold to exactly one part"
            )


def _by_fold(pooled: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    found = []
    for (name, fold), rows in pooled.groupby(["model", "fold"], sort=False):
        one = classifier_metrics(rows["actual"], rows["predicted"], classes)
        found.append({"model": name, "fold": fold, "accuracy": one.accuracy, "macro_f1": one.macro_f1})
    return pd.DataFrame(found)


def _told(pooled: pd.DataFrame, model: str) -> tuple[list[str], list[str]]:
    """Return actual and predicted classes of a model's units."""
    rows = pooled[pooled["model"] == model]
    return rows["actual"].tolist(), rows["predicted"].tolist()

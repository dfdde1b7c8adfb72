"""System A's figures that a cross-validation yields."""

import pandas as pd

from glassline.analysis.metrics import ClassifierMetrics
from glassline.analysis.significance import chi_square
from glassline.bench.measured import Bench, Measured, table_block
from glassline.bench.measures.patches import judged, metrics_by_model, split_patches, training, with_copies
from glassline.bench.measures.published import figures_of
from glassline.report.confusion import confusion_figure

_FUSION, _CNN = "ensemble_fusion", "cnn"


def by_model(bench: Bench) -> Measured:
    """Measure the accuracy of MLP, vanilla CNN, metadata and the ensembles."""
    names = ("mlp", _CNN, "metadata", _FUSION) + (
        () if bench.size == "smoke" else ("ensemble_average", "ensemble_stacking")
    )
    found = metrics_by_model(*_judged(bench, names))
    told = {name: one.accuracy for name, one in found.items()}
    rows = pd.DataFrame(
        [{"model": name, "accuracy": one.accuracy, "macro F1": one.macro_f1} for name, one in found.items()]
    )
    return Measured(
        {"CNN minus MLP": told[_CNN] - told["mlp"], "fusion minus MLP": told[_FUSION] - told["mlp"], **told},
        [table_block(rows)],
    )


def fusion_matrix(bench: Bench) -> Measured:
    """Measure the confusion matrix of feature fusion."""
    metrics = metrics_by_model(*_judged(bench, (_FUSION,)))[_FUSION]
    figure = confusion_figure(metrics.confusion, metrics.classes, "feature fusion, folds pooled")
    return Measured(figures_of(metrics), figure=figure)


def against_cnn(bench: Bench) -> Measured:
    """Measure chi-square of fusion's rows against the vanilla CNN's."""
    found: dict[str, ClassifierMetrics] = metrics_by_model(*_judged(bench, (_FUSION, _CNN)))
    test = chi_square(found[_FUSION].confusion, found[_CNN].confusion, found[_CNN].classes)
    values = {entry.actual: entry.statistic for entry in test.classes}
    return Measured({**values, "sum": test.statistic, "degrees of freedom": test.dof, "p": test.p})


def augmentation(bench: Bench) -> Measured:
    """Measure the accuracy of fusion without copies, with flips and shifts, and with CLAHE among the operations."""
    table, settings = split_patches(bench), training(bench)
    tables = {
        "none": table,
        "flip and shift": with_copies(table, bench),
        "with CLAHE": with_copies(table, bench, clahe=True),
    }
    values = {
        name: metrics_by_model(judged(bench, one, (_FUSION,), settings), one.classes)[_FUSION].accuracy
        for name, one in tables.items()
    }
    return Measured(values)


def _judged(bench: Bench, names: tuple[str, ...]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    table = with_copies(split_patches(bench), bench)
    return judged(bench, table, names, training(bench)), table.classes

"""Figures of the confusion matrices that the papers print."""

import numpy as np

from glassline.analysis.metrics import ClassifierMetrics, metrics_of
from glassline.bench.measured import Bench, Measured
from glassline.report.confusion import confusion_figure

_CLASSES = ("dent", "mold", "fold", "control")
#: Rows actual: system A, Table 2, and system B, Table 4.
_A = ((15419, 111, 61, 744), (1, 4916, 6, 601), (50, 12, 3880, 234), (260, 720, 206, 87972))
_B = ((326, 6, 14, 29), (4, 347, 2, 14), (8, 8, 337, 12), (24, 11, 17, 293))


def matrix_a(bench: Bench) -> Measured:
    """Measure system A's printed matrix."""
    return _of(_A, "system A, Table 2")


def matrix_b(bench: Bench) -> Measured:
    """Measure system B's printed matrix."""
    return _of(_B, "system B, Table 4")


def figures_of(metrics: ClassifierMetrics) -> dict[str, float]:
    """Return figures by the names that the papers' tables have."""
    return {
        "accuracy": metrics.accuracy, "F1 of means": metrics.f1_of_means, "mean of F1": metrics.macro_f1,
        "mean precision": metrics.macro_precision, "mean recall": metrics.macro_recall,
        **{f"precision {name}": value for name, value in metrics.precision.items()},
        **{f"recall {name}": value for name, value in metrics.recall.items()},
    }  # fmt: skip


def _of(rows: tuple[tuple[int, ...], ...], title: str) -> Measured:
    metrics = metrics_of(np.array(rows, np.int64), _CLASSES)
    return Measured(figures_of(metrics), figure=confusion_figure(metrics.confusion, _CLASSES, title))

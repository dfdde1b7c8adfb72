"""How well a classifier does: accuracy, precision, recall and F1 of a confusion matrix.

Shapes: N samples, C classes; a confusion matrix is (C actual, C predicted).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glassline.errors import DataError

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClassifierMetrics:
    """Figures of one classifier.

    A class that is never predicted has precision 0, one that never occurs has recall 0, and both count in
    the means with their zeros: scikit-learn's zero_division=0 over all classes.

    Attributes:
        classes: Class names in the order of the matrix.
        confusion: Samples by actual (rows) and predicted class (columns).
        samples: Number of samples.
        accuracy: Share of samples on the diagonal.
        accuracy_low: Lower end of the accuracy's 95 % Wilson interval.
        accuracy_high: Upper end of it.
        precision: By class, in [0, 1].
        recall: By class, in [0, 1].
        f1: By class, harmonic mean of precision and recall.
        support: Samples of each actual class.
        macro_precision: Mean of the classes' precisions.
        macro_recall: Mean of the classes' recalls.
        macro_f1: Mean of the classes' F1.
        f1_of_means: Harmonic mean of macro precision and macro recall; the published F1 of systems A and B.
    """

    classes: tuple[str, ...]
    confusion: Counts
    samples: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    precision: Mapping[str, float]
    recall: Mapping[str, float]
    f1: Mapping[str, float]
    support: Mapping[str, int]
    macro_precision: float
    macro_recall: float
    macro_f1: float
    f1_of_means: float

    def as_dict(self) -> dict[str, float]:
        """Return flat names to numbers: `accuracy`, `macro_f1`, …, `precision_dent`, …"""
        flat = {name: float(getattr(self, name)) for name in _OVERALL}
        for name in _BY_CLASS:
            flat |= {f"{name}_{label}": float(value) for label, value in getattr(self, name).items()}
        return flat


_OVERALL = (
    "accuracy", "accuracy_low", "accuracy_high", "macro_precision", "macro_recall", "macro_f1", "f1_of_means",
    "samples",
)  # fmt: skip
_BY_CLASS = ("precision", "recall", "f1", "support")


def classifier_metrics(actual: Iterable[str], predicted: Iterable[str], classes: Sequence[str]) -> ClassifierMetrics:
    """Return the figures of predictions.

    Args:
        actual: Class of each sample.
        predicted: Predicted class of each sample, in the same order.
        classes: All class names, in the order of the matrix.

    Raises:
        DataError: There is no sample, lengths differ, or a class is not among the names.
    """
    return metrics_of(confusion_matrix(actual, predicted, classes), classes)


def confusion_matrix(actual: Iterable[str], predicted: Iterable[str], classes: Sequence[str]) -> Counts:
    """Count samples by actual and predicted class.

    Args:
        actual: Class of each sample.
        predicted: Predicted class of each sample, in the same order.
        classes: All class names, in the order of the matrix.

    Returns:
        confusion_CC, rows actual.

    Raises:
        DataError: There is no sample, lengths differ, or a class is not among the names.
    """
    from sklearn import metrics

    actual_N, predicted_N = list(actual), list(predicted)
    if len(actual_N) != len(predicted_N):
        raise DataError(f"every sample must have one prediction, got {len(predicted_N)} for {len(actual_N)} samples")
    if not actual_N:
        raise DataError("metrics need at least one sample, got none; check the split")
    unknown = sorted((set(actual_N) | set(predicted_N)) - set(classes))
    if unknown:
        raise DataError(f"labels must be among {list(classes)}, got {unknown}; mend the labels")
    return np.asarray(metrics.confusion_matrix(actual_N, predicted_N, labels=list(classes)), np.int64)


def metrics_of(confusion_CC: Counts, classes: Sequence[str]) -> ClassifierMetrics:
    """Return the figures of a confusion matrix.

    Args:
        confusion_CC: Samples by actual (rows) and predicted class.
        classes: Class names in the order of the matrix.

    Raises:
        DataError: The matrix is not square over the classes, holds a negative number, or no sample.
    """
    from sklearn.metrics import precision_recall_fscore_support
    from statsmodels.stats.proportion import proportion_confint

    confusion_CC = np.asarray(confusion_CC, np.int64)
    check_confusion(confusion_CC, classes)
    samples, right = int(confusion_CC.sum()), int(np.trace(confusion_CC))
    # Each cell stands for its samples: one pair of labels, weighted.
    actual, predicted = (index.ravel() for index in np.indices(confusion_CC.shape))
    precision_C, recall_C, f1_C, _ = precision_recall_fscore_support(
        actual, predicted, labels=range(len(classes)), sample_weight=confusion_CC.ravel(), zero_division=0
    )
    low, high = proportion_confint(right, samples, method="wilson")
    means = float(precision_C.mean()), float(recall_C.mean())
    return ClassifierMetrics(
        classes=tuple(classes), confusion=confusion_CC, samples=samples, accuracy=right / samples,
        accuracy_low=float(low), accuracy_high=float(high),
        precision=_named(classes, precision_C), recall=_named(classes, recall_C), f1=_named(classes, f1_C),
        support=dict(zip(classes, confusion_CC.sum(axis=1).tolist(), strict=True)),
        macro_precision=means[0], macro_recall=means[1], macro_f1=float(f1_C.mean()),
        f1_of_means=2 * means[0] * means[1] / sum(means) if sum(means) else 0.0,
    )  # fmt: skip


def check_confusion(confusion_CC: Counts, classes: Sequence[str]) -> None:
    """Refuse what is no confusion matrix of these classes.

    Raises:
        DataError: The matrix is not square over the classes, holds a negative number, or no sample.
    """
    if confusion_CC.shape != (len(classes), len(classes)) or len(set(classes)) != len(classes):
        raise DataError(
            f"a confusion matrix must have one row and one column for each of {list(classes)}, "
            f"got the shape {confusion_CC.shape}; name every class once"
        )
    if (confusion_CC < 0).any() or not confusion_CC.any():
        raise DataError(
            f"a confusion matrix must hold counts >= 0 and at least one sample, got {confusion_CC.tolist()}; "
            "mend the counts"
        )


def _named(classes: Sequence[str], values_C: npt.NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(classes, values_C.tolist(), strict=True))

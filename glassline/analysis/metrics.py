"""How well a classifier does: accuracy, precision, recall and F1 of a confusion matrix.

Shapes: N samples, G groups, C classes; a confusion matrix is (C actual, C predicted).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from glassline.analysis.bootstrap import bootstrap_interval, group_totals
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
        accuracy_low: Lower end of the accuracy's 95 % interval: Wilson's, or the one of `grouped_metrics`.
        accuracy_high: Upper end of it.
        precision: By class, in [0, 1].
        recall: By class, in [0, 1].
        recall_low: Lower end of each recall's 95 % Wilson interval; 0 for a class that never occurs.
        recall_high: Upper end of it; 1 for a class that never occurs.
        f1: By class, harmonic mean of precision and recall.
        support: Samples of each actual class.
        macro_precision: Mean of the classes' precisions.
        macro_recall: Mean of the classes' recalls.
        macro_f1: Mean of the classes' F1.
        f1_of_means: Harmonic mean of macro precision and macro recall; the published F1 of systems A and B.
        macro_f1_low: Lower end of macro F1's 95 % interval, None where it is not known; see `grouped_metrics`.
        macro_f1_high: Upper end of it.
    """

    classes: tuple[str, ...]
    confusion: Counts
    samples: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    precision: Mapping[str, float]
    recall: Mapping[str, float]
    recall_low: Mapping[str, float]
    recall_high: Mapping[str, float]
    f1: Mapping[str, float]
    support: Mapping[str, int]
    macro_precision: float
    macro_recall: float
    macro_f1: float
    f1_of_means: float
    macro_f1_low: float | None = None
    macro_f1_high: float | None = None

    def as_dict(self) -> dict[str, float]:
        """Return flat names to numbers, of what is known: `accuracy`, `macro_f1`, …, `precision_dent`, …"""
        flat = {name: float(value) for name in _OVERALL if (value := getattr(self, name)) is not None}
        for name in _BY_CLASS:
            flat |= {f"{name}_{label}": float(value) for label, value in getattr(self, name).items()}
        return flat


_OVERALL = (
    "accuracy", "accuracy_low", "accuracy_high", "macro_precision", "macro_recall", "macro_f1",
    "macro_f1_low", "macro_f1_high", "f1_of_means", "samples",
)  # fmt: skip
_BY_CLASS = ("precision", "recall", "recall_low", "recall_high", "f1", "support")


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


def grouped_metrics(
    actual: Sequence[str], predicted: Sequence[str], groups: Sequence[str], classes: Sequence[str]
) -> ClassifierMetrics:
    """Return the figures of predictions, with 95 % intervals that know which samples belong together.

    Macro F1: bootstrap over groups (see `bootstrap_interval`); it has no width when everything is right. A class of
    which a draw holds no sample is left out of that draw's mean: its F1 there is not 0 but unknown.

    Accuracy: where groups are the samples, Wilson's. Where groups hold several, those go right or wrong together and
    Wilson's interval, which takes them for independent, is too narrow: then it is widened to the same bootstrap's.
    Its own ends still bound it from within, since the bootstrap fails of few groups, and has no width at 0 and 1.

    Recall: Wilson's. A class often lies in a handful of groups, too few to draw from; so where its samples go right
    or wrong together, its interval is too narrow.

    Args:
        actual: Class of each sample.
        predicted: Predicted class of each sample, in the same order.
        groups: Group of each sample; macro F1 of a single one has no interval.
        classes: All class names, in the order of the matrix.

    Raises:
        DataError: There is no sample, lengths differ, or a class is not among the names.
    """
    found, count = classifier_metrics(actual, predicted, classes), len(classes)
    if len(groups) != found.samples:
        raise DataError(f"every sample must have a group, got {len(groups)} for {found.samples} samples")
    index = {name: place for place, name in enumerate(classes)}
    cell_N = [index[one] * count + index[other] for one, other in zip(actual, predicted, strict=True)]
    total_GK = group_totals(groups, np.eye(count * count)[cell_N])
    if len(total_GK) < 2:
        return found
    occurs_C = found.confusion.sum(axis=1) > 0

    def macro_f1(total: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        drawn_CC = total.reshape(*total.shape[:-1], count, count)
        actual_C, predicted_C = drawn_CC.sum(axis=-1), drawn_CC.sum(axis=-2)
        hit_C = np.diagonal(drawn_CC, axis1=-2, axis2=-1)
        f1_C = 2 * hit_C / (actual_C + predicted_C).clip(min=1)
        known_C = (actual_C > 0) | ~occurs_C
        return np.asarray((f1_C * known_C).sum(axis=-1) / known_C.sum(axis=-1))

    def accuracy(total: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(total[..., :: count + 1].sum(axis=-1) / total.sum(axis=-1))

    f1_low, f1_high = bootstrap_interval(total_GK, macro_f1, seed=0)
    if len(total_GK) == found.samples:
        return replace(found, macro_f1_low=f1_low, macro_f1_high=f1_high)
    low, high = bootstrap_interval(total_GK, accuracy, seed=0)
    return replace(
        found, accuracy_low=min(low, found.accuracy_low), accuracy_high=max(high, found.accuracy_high),
        macro_f1_low=f1_low, macro_f1_high=f1_high,
    )  # fmt: skip


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
    support_C = confusion_CC.sum(axis=1)
    ends = proportion_confint(np.diagonal(confusion_CC), support_C.clip(min=1), method="wilson")
    recall_low_C, recall_high_C = (np.where(support_C > 0, *pair) for pair in zip(ends, (0.0, 1.0), strict=True))
    means = float(precision_C.mean()), float(recall_C.mean())
    return ClassifierMetrics(
        classes=tuple(classes), confusion=confusion_CC, samples=samples, accuracy=right / samples,
        accuracy_low=float(low), accuracy_high=float(high),
        precision=_named(classes, precision_C), recall=_named(classes, recall_C),
        recall_low=_named(classes, recall_low_C), recall_high=_named(classes, recall_high_C), f1=_named(classes, f1_C),
        support=dict(zip(classes, support_C.tolist(), strict=True)),
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

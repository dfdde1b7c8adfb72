"""What the networks are compared with: nearest neighbours, naive Bayes and a support vector machine, of scikit-learn.

Source: system B of the reading, section 4.2 and Fig. 6. What they read is not printed: here histograms of oriented
gradients, which beat grey levels on every data set tried.
Shapes: N rows, F features, C classes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from glassline.data.samples import SampleTable
from glassline.models.settings import COMPARATOR_NAMES
from glassline.training.data import PatchDataset, present_classes
from glassline.training.sampling import thin_clean
from glassline.training.settings import TrainingSettings
from glassline.vision.gradients import gradient_histograms

_NEIGHBOURS = 5
_SVM_C = 10.0


def predict_comparator(
    name: str, table: SampleTable, train_N: npt.NDArray[np.intp], test_N: npt.NDArray[np.intp],
    settings: TrainingSettings, seed: int,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Fit a comparator on some rows and return its class probabilities (N, C) of others.

    Args:
        name: One of `COMPARATOR_NAMES`.
        table: Table of patches.
        train_N: Row positions to train on, augmented copies included.
        test_N: Row positions to judge.
        settings: Its `clean_ratio` and `class_weights`, as networks are trained with them.
        seed: Seed of which clean rows are left out.

    Raises:
        DataError: Training rows are of fewer than two classes.
    """
    train = PatchDataset(table, thin_clean(table, train_N, settings.clean_ratio, seed), ())
    present = present_classes(train, table.classes)
    fitted = _pipeline(name, settings, train.labels_N).fit(_gradients(train), train.labels_N)
    features_NF = _gradients(PatchDataset(table, test_N, ()))
    probability_NC = np.zeros((len(test_N), len(table.classes)), np.float32)
    if name == "svm":
        # Its own probabilities come from a cross-validation inside; distances to the borders order as well.
        score_NC = fitted.decision_function(features_NF)
        score_NC = np.stack([-score_NC, score_NC], axis=1) / 2 if score_NC.ndim == 1 else score_NC
        weight_NC = np.exp(score_NC - score_NC.max(axis=1, keepdims=True))
        probability_NC[:, present] = weight_NC / weight_NC.sum(axis=1, keepdims=True)
    else:
        probability_NC[:, present] = fitted.predict_proba(features_NF)
    return probability_NC


def _pipeline(name: str, settings: TrainingSettings, labels_N: npt.NDArray[np.int64]) -> Any:
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if name == "knn":
        return KNeighborsClassifier(min(_NEIGHBOURS, len(labels_N)))
    if name == "naive_bayes":
        return GaussianNB()
    assert name == "svm", f"{name} is none of {COMPARATOR_NAMES}"
    count_C = np.bincount(labels_N)
    weights = {label: float(count) ** -settings.weight_power for label, count in enumerate(count_C) if count}
    mean = sum(weights[label] * count_C[label] for label in weights) / len(labels_N)
    weights = {label: weight / mean for label, weight in weights.items()}
    return make_pipeline(StandardScaler(), SVC(C=_SVM_C, class_weight=weights))


def _gradients(dataset: PatchDataset) -> npt.NDArray[np.float32]:
    """Return histograms of oriented gradients (N, F) of every patch; one is read at a time."""
    return np.concatenate([gradient_histograms(dataset[index]["patch_BHW"].numpy()) for index in range(len(dataset))])

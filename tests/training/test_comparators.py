"""The comparators of scikit-learn, fitted and judged like the networks."""

import numpy as np
import pytest

from glassline.errors import DataError
from glassline.models.settings import COMPARATOR_NAMES
from glassline.training.comparators import predict_comparator
from glassline.training.settings import TrainingSettings

LABELS = ["dent", "mold", "fold"] * 12


@pytest.fixture
def table(make_table):
    """Stripes whose direction tells the class."""
    rng, (y_H1, x_1W) = np.random.default_rng(0), np.ogrid[:112, :112]
    waves = {"dent": y_H1 + 0 * x_1W, "mold": x_1W + 0 * y_H1, "fold": x_1W + y_H1}
    patches = [127 + 80 * np.sin(waves[one] / 3) + rng.normal(0, 20, (112, 112)) for one in LABELS]
    patches_NHW = np.stack(patches).clip(0, 255).astype(np.uint8)
    return make_table(LABELS, patches_NHW=patches_NHW, classes=("dent", "fold", "mold"))


@pytest.mark.parametrize("weights", ["none", "root", "balanced"])
@pytest.mark.parametrize("name", COMPARATOR_NAMES)
def test_comparators_tell_stripes_apart(table, name, weights):
    settings = TrainingSettings(class_weights=weights)
    probability_NC = predict_comparator(name, table, np.arange(24), np.arange(24, 36), settings, 0)
    np.testing.assert_allclose(probability_NC.sum(1), 1, atol=1e-5)
    assert [table.classes[index] for index in probability_NC.argmax(1)] == LABELS[24:]


@pytest.mark.parametrize("name", COMPARATOR_NAMES)
def test_a_class_that_was_not_trained_on_has_probability_0(table, name):
    rows_N = np.flatnonzero(table.rows["label"] != "fold")
    probability_NC = predict_comparator(name, table, rows_N, np.arange(6), TrainingSettings(), 0)
    assert (probability_NC[:, 1] == 0).all()
    np.testing.assert_allclose(probability_NC.sum(1), 1, atol=1e-5)


def test_comparators_refuse_samples_of_one_class(table):
    rows_N = np.flatnonzero(table.rows["label"] == "fold")
    with pytest.raises(DataError, match=r"at least two classes, got \['fold'\]"):
        predict_comparator("svm", table, rows_N, np.arange(6), TrainingSettings(), 0)

"""Which units are unknown."""

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.unknown import unit_distance, unknown_threshold, with_unknown
from glassline.errors import DataError


def test_a_unit_is_as_strange_as_its_strangest_patch():
    rows = pd.DataFrame({"unit": ["b", "a", "b"]})
    assert unit_distance(rows, np.float32([1, 2, 3])).to_dict() == {"a": 2, "b": 3}


def test_the_threshold_calls_no_more_known_units_unknown_than_stated():
    distance_U = np.random.default_rng(0).random(200)
    for rate in (0, 0.05, 0.3):
        assert rate - 0.01 <= (distance_U > unknown_threshold(distance_U, rate)).mean() <= rate


@pytest.mark.parametrize(("count", "rate"), [(0, 0.05), (9, 1), (9, -0.1)])
def test_a_threshold_of_nothing_is_refused(count, rate):
    with pytest.raises(DataError, match="needs held-out units"):
        unknown_threshold(np.arange(count), rate)


def test_what_is_beyond_the_threshold_is_unknown_whatever_was_predicted():
    judged = pd.DataFrame({"unit": ["a", "b"], "predicted": ["dent", "mold"]})
    told = with_unknown(judged, pd.Series({"b": 0.9, "a": 0.1}), 0.5)
    assert told["predicted"].tolist() == ["dent", "unknown"]

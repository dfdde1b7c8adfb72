"""Decisions of a bundle, `unknown` among them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassline.deploy.bundle import load_bundle
from glassline.deploy.judge import judge
from glassline.errors import ModelError
from tests.deploy.metric_bundle import level_patches, metadata, write_metric_bundle

ROWS = pd.DataFrame(
    {"unit": ["a", "a", "b", "c"], "group": ["a", "a", "b", "c"], "unit_label": ["dent", "dent", "mold", "fold"]}
)
PATCHES = np.concatenate([level_patches("dent", 2), level_patches("mold", 1), level_patches("fold", 1)])


@pytest.fixture
def bundle(tmp_path, manifest):
    write_metric_bundle(tmp_path / "a.zip", manifest)
    return load_bundle(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("thresholds", "predicted"),
    [({"unknown_distance": 0.01}, ["dent", "mold", "unknown"]), ({}, ["dent", "mold"]), ({"unknown_distance": 9}, [])],
)
def test_what_no_reference_is_near_to_is_unknown(bundle, thresholds, predicted):
    judged = judge(replace(bundle, thresholds=thresholds), ROWS, PATCHES, metadata(4))
    assert judged["unit"].tolist() == ["a", "b", "c"]
    assert judged["predicted"].tolist()[: len(predicted)] == predicted
    assert ("unknown" in set(judged["predicted"])) == ("unknown" in predicted)


@pytest.mark.parametrize("threshold", ["far", -1, float("nan"), None, True])
def test_a_threshold_that_is_no_distance_is_refused(bundle, threshold):
    with pytest.raises(ModelError, match=r"unknown_distance in thresholds.yaml must be a distance >= 0, got"):
        judge(replace(bundle, thresholds={"unknown_distance": threshold}), ROWS, PATCHES, metadata(4))

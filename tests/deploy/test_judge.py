"""Decisions of a bundle, `unknown` among them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassline.deploy.bundle import load_bundle
from glassline.deploy.judge import classify, judge
from glassline.errors import SettingsError
from tests.deploy.metric_bundle import level_patches, metadata, write_metric_bundle

ROWS = pd.DataFrame(
    {"unit": ["a", "a", "b", "c"], "group": ["a", "a", "b", "c"], "unit_label": ["dent", "dent", "mold", "fold"]}
)
PATCHES = np.concatenate([level_patches("dent", 2), level_patches("mold", 1), level_patches("fold", 1)])


@pytest.fixture
def bundle(tmp_path, manifest):
    write_metric_bundle(tmp_path / "a.zip", manifest)
    return load_bundle(tmp_path / "a.zip")


def _with(bundle, distance):
    return replace(bundle, thresholds={**bundle.thresholds, "unknown_distance": distance})


@pytest.mark.parametrize(
    ("distance", "predicted"), [(0.01, ["dent", "mold", "unknown"]), (None, ["dent", "mold"]), (9, [])]
)
def test_what_no_reference_is_near_to_is_unknown(bundle, distance, predicted):
    judged = judge(_with(bundle, distance), ROWS, PATCHES, metadata(4))
    assert judged["unit"].tolist() == ["a", "b", "c"]
    assert judged["predicted"].tolist()[: len(predicted)] == predicted
    assert ("unknown" in set(judged["predicted"])) == ("unknown" in predicted)


def test_classify_gives_a_class_however_far_every_reference_is(bundle):
    strange = _with(bundle, 0.0)
    assert set(judge(strange, ROWS, PATCHES, metadata(4))["predicted"]) == {"unknown"}
    assert set(classify(strange, ROWS, PATCHES, metadata(4))["predicted"]) <= set(bundle.manifest.classes)


@pytest.mark.parametrize("threshold", ["far", -1, float("nan"), True])
def test_a_threshold_that_is_no_distance_is_refused(bundle, threshold):
    with pytest.raises(
        SettingsError, match=r"thresholds.yaml must hold thresholds in range .*unknown_distance: .*, got"
    ):
        judge(_with(bundle, threshold), ROWS, PATCHES, metadata(4))

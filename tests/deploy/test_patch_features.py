"""Patches as a champion sees them: embeddings, or gradients where it cannot be asked."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassline.deploy.bundle import load_bundle
from glassline.deploy.patch_features import patch_features
from tests.deploy.metric_bundle import level_patches, write_metric_bundle

PATCHES = np.concatenate([level_patches("dent", 2), level_patches("fold", 2)])
ROWS = pd.DataFrame({"x_mm": [0.0] * 4, "y_mm": [0.0] * 4, "attr_area": [0.0] * 4})


@pytest.fixture
def bundle(tmp_path, manifest):
    write_metric_bundle(tmp_path / "a.zip", manifest)
    return load_bundle(tmp_path / "a.zip")


def _with(bundle, distance):
    return replace(bundle, thresholds={**bundle.thresholds, "unknown_distance": distance})


def test_features_of_a_metric_network_are_embeddings_and_what_lies_beyond(bundle):
    found = patch_features(_with(bundle, 0.01), ROWS, PATCHES)
    assert (found.kind, found.features_NF.shape, found.why) == ("embedding", (4, 16), "")
    assert found.beyond_N.tolist() == [False, False, True, True]


def test_features_of_a_metric_network_without_threshold_say_nothing_of_the_distance(bundle):
    assert patch_features(_with(bundle, None), ROWS, PATCHES).beyond_N is None


def test_features_are_gradients_where_there_is_no_bundle():
    found = patch_features(None, ROWS, PATCHES)
    assert (found.kind, len(found.features_NF)) == ("gradients", 4)
    assert "no champion" in found.why


def test_features_are_gradients_where_the_bundle_reads_other_patches(bundle):
    found = patch_features(bundle, ROWS, PATCHES[:, :64, :64])
    assert found.kind == "gradients"
    assert "reads patches of" in found.why

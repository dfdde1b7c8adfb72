"""Classes that are added to a trained latent space, and what is called unknown."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassline.errors import DataError, ModelError
from glassline.models.registry import build_model
from glassline.training.enrol import enrol, nearest_distance, unknown_threshold
from glassline.training.fitted import Fitted, load_fitted, predict, save_fitted
from glassline.training.settings import TrainingSettings

LEVELS = {"dent": 30, "mold": 230, "fold": 130}


def _patches(label, count):
    noise = np.random.default_rng(len(label)).integers(-5, 6, (count, 112, 112))
    return (LEVELS[label] + noise).astype(np.uint8)


def _fitted(name="triplet", head="centroid", make=None):
    torch.manual_seed(0)
    settings = TrainingSettings.parse({"cnn": {"filters": 8}, "embedding": {"width": 16, "head": head}})
    model = build_model(name, 112, 3, 2, settings).eval()
    fitted = Fitted(name, model, ("dent", "mold"), "", ("x_mm", "y_mm", "attr_area"), settings, pd.DataFrame())
    if name == "triplet":
        patch_NHW = torch.from_numpy(np.concatenate([_patches("dent", 6), _patches("mold", 6)])).float()
        with torch.no_grad():
            model.refer(model.embed(patch_NHW, torch.zeros(12, 3)), torch.arange(12) // 6)
    return fitted


@pytest.mark.parametrize("head", ["knn", "centroid"])
def test_an_enrolled_class_is_found_and_the_others_stay(make_table, head):
    fitted = _fitted(head=head)
    grown = enrol(fitted, "fold", _patches("fold", 5), np.zeros((5, 3), np.float32))
    labels = ["dent"] * 3 + ["mold"] * 3 + ["fold"] * 3
    table = make_table(labels, patches_NHW=np.concatenate([_patches(one, 3) for one in LEVELS]), classes=tuple(LEVELS))
    assert [grown.classes[index] for index in predict(grown, table, np.arange(9)).argmax(1)] == labels
    assert fitted.classes == ("dent", "mold")
    assert len(fitted.model.reference_RE) == 12


def test_an_enrolled_class_is_written_and_read(make_table, tmp_path):
    grown = enrol(_fitted(), "fold", _patches("fold", 5), np.zeros((5, 3), np.float32))
    save_fitted(grown, tmp_path / "model")
    loaded = load_fitted(tmp_path / "model")
    table = make_table(["dent", "mold"])
    np.testing.assert_allclose(predict(loaded, table, np.arange(2)), predict(grown, table, np.arange(2)), atol=1e-6)


@pytest.mark.parametrize(("label", "count"), [("dent", 5), ("unknown", 5), ("fold", 0)])
def test_enrol_refuses_a_known_name_and_no_image(label, count):
    with pytest.raises(DataError, match="a new class needs a new name and at least one image"):
        enrol(_fitted(), label, _patches("fold", count), np.zeros((count, 3), np.float32))


def test_enrol_refuses_a_head_that_would_have_to_be_trained():
    with pytest.raises(ModelError, match="the head linear has none"):
        enrol(_fitted(head="linear"), "fold", _patches("fold", 5), np.zeros((5, 3), np.float32))


def test_enrol_refuses_a_model_without_references():
    with pytest.raises(ModelError, match="need a triplet or Siamese network, got cnn"):
        enrol(_fitted("cnn"), "fold", _patches("fold", 5), np.zeros((5, 3), np.float32))


def test_what_no_reference_is_near_to_is_farther_away(make_table):
    labels = ["dent", "mold", "fold"]
    table = make_table(labels, patches_NHW=np.concatenate([_patches(one, 1) for one in LEVELS]), classes=tuple(LEVELS))
    distance_N = nearest_distance(_fitted(), table, np.arange(3))
    assert distance_N[2] > 3 * distance_N[:2].max()


def test_unknown_threshold_calls_no_more_known_samples_unknown_than_stated():
    distance_N = np.random.default_rng(0).random(200).astype(np.float32)
    for rate in (0, 0.05, 0.3):
        assert (distance_N > unknown_threshold(distance_N, rate)).mean() <= rate
    with pytest.raises(DataError, match="needs held-out samples"):
        unknown_threshold(distance_N[:0], 0.05)

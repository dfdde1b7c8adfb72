"""A fitted model: probabilities, and the same ones after writing and reading."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from glassline.errors import DataError, ModelError
from glassline.models.registry import MODELS, build_model
from glassline.training.fitted import Fitted, embed, load_fitted, predict, save_fitted
from glassline.training.settings import TrainingSettings

ATTRIBUTES = ("x_mm", "y_mm", "attr_area")


def _fitted(name: str) -> Fitted:
    torch.manual_seed(0)
    settings = TrainingSettings.parse({"cnn": {"filters": 2}, "backbone": {"network": "timm/test_resnet.r160_in1k"}})
    model = build_model(name, 112, 3, 2, settings).eval()
    history = pd.DataFrame({"epoch": [0, 1], "train_loss": [0.7, 0.123456789]})
    return Fitted(name, model, ("dent", "mold"), "mold", ATTRIBUTES, settings, history)


@pytest.mark.parametrize("name", MODELS)
def test_predict_is_the_same_after_writing_and_reading(make_table, tmp_path, name):
    fitted, table = _fitted(name), make_table(["dent", "mold", "dent"])
    save_fitted(fitted, tmp_path / "model")
    loaded = load_fitted(tmp_path / "model")
    probability_NC = predict(loaded, table, np.arange(3))
    np.testing.assert_allclose(probability_NC.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(probability_NC, predict(fitted, table, np.arange(3)), atol=1e-6)
    np.testing.assert_allclose(embed(loaded, table, np.arange(3)), embed(fitted, table, np.arange(3)), atol=1e-5)


def test_load_fitted_returns_what_was_saved(tmp_path):
    fitted = replace(_fitted("cnn"), start="random", sources=("P1/dent", "P2"))
    save_fitted(fitted, tmp_path / "model")
    loaded = load_fitted(tmp_path / "model")
    assert replace(loaded, model=None, history=None) == replace(fitted, model=None, history=None)
    pd.testing.assert_frame_equal(loaded.history, fitted.history)
    assert not loaded.model.training


def test_load_fitted_accepts_an_empty_history(tmp_path):
    save_fitted(replace(_fitted("mlp"), history=pd.DataFrame()), tmp_path / "model")
    assert load_fitted(tmp_path / "model").history.empty


def test_predict_follows_the_order_of_rows(make_table):
    fitted, table = _fitted("ensemble_fusion"), make_table(["dent"] * 4 + ["mold"])
    forward = predict(fitted, table, np.arange(5))
    np.testing.assert_allclose(predict(fitted, table, np.arange(5)[::-1]), forward[::-1], atol=1e-6)


def test_predict_refuses_no_rows(make_table):
    with pytest.raises(DataError, match="at least one row, got none"):
        predict(_fitted("mlp"), make_table(["dent", "mold"]), np.arange(0))


@pytest.mark.parametrize("name", ["model.safetensors", "model.json", "history.csv"])
def test_load_fitted_names_the_file_that_is_missing(tmp_path, name):
    save_fitted(_fitted("mlp"), tmp_path / "model")
    (tmp_path / "model" / name).unlink()
    with pytest.raises(ModelError, match=f"missing: \\['{name}'\\]"):
        load_fitted(tmp_path / "model")

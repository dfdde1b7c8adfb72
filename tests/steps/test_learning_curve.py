"""Scores against images per class: what is drawn, kept and refused."""

import numpy as np
import pandas as pd
import pytest

from glassline.errors import DataError, SettingsError
from glassline.steps.learning_curve import CURVE, FIGURE, learning_curve

LABELS = ["dent"] * 16 + ["mold"] * 8
FAST = {"cnn": {"filters": 2, "pool_px": 4}, "epochs": 1}


@pytest.fixture
def split(make_table, tmp_path):
    """Patches whose level tells the class, in two folds."""
    rng = np.random.default_rng(0)
    levels = {"dent": 60, "mold": 190}
    patches = np.stack([rng.integers(levels[one] - 40, levels[one] + 40, (112, 112)) for one in LABELS])
    table = make_table(LABELS, patches_NHW=patches.astype(np.uint8), fold=[index % 2 for index in range(len(LABELS))])
    table.write(tmp_path / "split.parquet")
    return str(tmp_path / "split.parquet")


def test_every_method_is_judged_at_every_number_on_every_fold(split, tmp_path):
    curve = learning_curve(split, ["cnn", "knn"], [2, 4], FAST, 0, str(tmp_path / "store"), str(tmp_path / "curve"))
    assert len(curve) == 2 * 2 * 2
    assert curve[["accuracy", "macro_f1"]].stack().between(0, 1).all()
    assert curve[curve["model"] == "knn"]["accuracy"].mean() > 0.5
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "curve" / CURVE), curve)
    assert (tmp_path / "curve" / FIGURE).stat().st_size > 1000


def test_what_a_killed_try_trained_is_not_trained_again(split, tmp_path, monkeypatch, place, elsewhere):
    first = learning_curve(split, ["svm"], [2], FAST, 0, place, str(tmp_path / "curve"))
    elsewhere()
    monkeypatch.setattr("glassline.steps.learning_curve.fit_and_predict", None)
    again = learning_curve(split, ["svm"], [2], FAST, 0, place, str(tmp_path / "curve"))
    pd.testing.assert_frame_equal(again, first)


@pytest.mark.parametrize(
    ("models", "per_class", "error", "match"),
    [
        (["resnet"], [5], SettingsError, "models must be among mlp, .*svm, got"),
        (["cnn"], [1], SettingsError, "numbers of 2 or more, got"),
        (["cnn"], [99], DataError, "must not exceed the largest class, 8 patches, got 99"),
    ],
)
def test_what_cannot_be_drawn_is_refused(split, tmp_path, models, per_class, error, match):
    with pytest.raises(error, match=match):
        learning_curve(split, models, per_class, FAST, 0, str(tmp_path / "store"), str(tmp_path / "curve"))
    assert not (tmp_path / "curve").exists()

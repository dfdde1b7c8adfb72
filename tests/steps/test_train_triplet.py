"""The metric network's step: a class that has no pair is noted and left out."""

import numpy as np
import pytest

from glassline.deploy.export import classifier_files
from glassline.errors import SettingsError
from glassline.steps.train_triplet import train_triplet
from glassline.training.fitted import load_fitted

FAST = {"cnn": {"filters": 2, "pool_px": 4}, "epochs": 1, "embedding": {"width": 4}}
LABELS = ["dent"] * 9 + ["mold"] * 9 + ["fold"] * 3


@pytest.fixture
def augmented(make_table, tmp_path):
    patches = np.random.default_rng(0).integers(0, 256, (len(LABELS), 112, 112)).astype(np.uint8)
    folds = [index % 3 for index in range(len(LABELS))]
    table = make_table(
        LABELS, patches_NHW=patches, fold=folds, augmentation=[""] * len(LABELS), classes=("dent", "mold", "fold")
    )
    table.write(tmp_path / "augmented.parquet")
    return str(tmp_path / "augmented.parquet")


def test_a_class_with_one_sample_is_left_out_and_noted(augmented, tmp_path, capsys):
    train_triplet(augmented, "triplet", FAST, 0, str(tmp_path / "store"), str(tmp_path / "model"))
    fitted = load_fitted(tmp_path / "model")
    known = {fitted.classes[index] for index in fitted.model.reference_label_R.tolist()}
    assert known == {"dent", "mold"}
    assert "['fold'] have one sample to train on and are left out" in capsys.readouterr().out
    assert classifier_files(fitted, "d" * 64)["reference.parquet"]


def test_another_model_is_refused(augmented, tmp_path):
    with pytest.raises(SettingsError, match="trains triplet or siamese, got cnn"):
        train_triplet(augmented, "cnn", FAST, 0, str(tmp_path / "store"), str(tmp_path / "model"))

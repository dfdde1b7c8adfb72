"""What trials are judged on, and that a real fit is watched, ended and cleared away."""

import numpy as np
import optuna
import pytest

from glassline.data.importers import read_source
from glassline.data.store import open_store
from glassline.errors import DataError, SettingsError
from glassline.tuning.subject import default_settings, with_values
from glassline.tuning.subjects import Classifier, read_subject

SMALL = {"cnn.filters": 2, "cnn.pool_px": 3, "epochs": 3, "batch_size": 8, "threads": 1}
SCORES = {"pixel_f1", "pixel_precision", "pixel_recall", "mean_iou"}


@pytest.fixture
def bright(make_table):
    """Return a table of dark and bright patches, four of each class in each of three folds."""
    labels = ["dent", "mold"] * 12
    levels_N = np.array([60 if label == "dent" else 190 for label in labels])
    patches_NHW = np.random.default_rng(0).integers(-40, 40, (24, 112, 112)) + levels_N[:, None, None]
    folds = [number // 8 for number in range(24)]
    return make_table(labels, patches_NHW=patches_NHW.astype(np.uint8), fold=folds)


@pytest.fixture
def judged(tmp_path):
    """Judge settings with a watch: judged(subject, watch=..., epochs=1) -> metrics."""

    def judge(subject, watch=lambda epoch, score, values: None, **values):
        settings = with_values(default_settings(subject.method), values)
        return subject.judge(settings, open_store(tmp_path / "checkpoints"), watch)

    return judge


@pytest.mark.parametrize("method", ["cnn", "triplet"])
def test_classifier_is_scored_every_epoch_and_by_its_units(bright, tmp_path, judged, method):
    told = []
    metrics = judged(Classifier(method, bright, 0, tmp_path), lambda *one: told.append(one), **SMALL)
    assert metrics["samples"] == 8
    assert [epoch for epoch, *_ in told] == [0, 1, 2]
    assert all(score == values["val_macro_f1"] and 0 <= score <= 1 for _, score, values in told)


def test_classifier_of_two_folds_counts_epochs_over_both_and_pools_them(bright, tmp_path, judged):
    told = []
    metrics = judged(Classifier("mlp", bright, 0, tmp_path, (1, 2)), lambda *one: told.append(one), **SMALL)
    assert [epoch for epoch, *_ in told] == [0, 1, 2, 3, 4, 5]
    assert metrics["samples"] == 16


def test_test_fold_is_never_looked_at(bright, tmp_path, judged):
    rows = bright.rows.copy()
    rows.loc[rows["fold"] == 0, "shard"] = 99  # which is not there
    assert judged(Classifier("mlp", bright.with_rows(rows), 0, tmp_path), **SMALL)["samples"] == 8


def test_fit_that_is_given_up_leaves_checkpoints_that_can_be_forgotten(bright, tmp_path, judged):
    def give_up(epoch, score, values):
        if epoch == 1:
            raise optuna.TrialPruned

    with pytest.raises(optuna.TrialPruned):
        judged(Classifier("cnn", bright, 0, tmp_path), give_up, **SMALL)
    assert list((tmp_path / "checkpoints").rglob("*.ckpt"))
    open_store(tmp_path / "checkpoints").forget()
    assert not list((tmp_path / "checkpoints").rglob("*.ckpt"))


@pytest.mark.parametrize("folds", [(0,), (3,), (1, 0)])
def test_folds_that_cannot_be_judged_on_are_refused(bright, tmp_path, folds):
    with pytest.raises(DataError, match=r"judged on folds of \[1, 2\] \(fold 0 is the test's\)"):
        Classifier("cnn", bright, 0, tmp_path, folds)


def test_two_folds_are_too_few(bright, tmp_path):
    rows = bright.rows.assign(fold=bright.rows["fold"].clip(upper=1))
    with pytest.raises(DataError, match="split into three folds or more"):
        Classifier("cnn", bright.with_rows(rows), 0, tmp_path)


def test_table_without_folds_is_refused(bright, tmp_path):
    bright.with_rows(bright.rows.drop(columns="fold")).write(tmp_path / "patches.parquet")
    with pytest.raises(DataError, match=r"missing: \['fold'\]; run split_samples first"):
        read_subject("cnn", str(tmp_path / "patches.parquet"), [], 0, tmp_path)


def test_segmentation_network_is_judged_by_pixels_of_validation_glasses(write_labelled, tmp_path, judged):
    read_source(write_labelled(tmp_path / "set", glasses=12), "captures").write(tmp_path / "samples.parquet")
    subject = read_subject("unet_nested", str(tmp_path / "samples.parquet"), [], 0, tmp_path)
    told = []
    metrics = judged(
        subject, lambda *one: told.append(one), epochs=1, patches=8, batch_size=4, patch_px=64, threads=1,
        **{"unet.width": 1 / 32},
    )  # fmt: skip
    assert set(metrics) == SCORES
    assert [score == -values["val_loss"] for _, score, values in told] == [True]


def test_severity_detector_is_judged_by_validation_images_and_labelled_once(write_marked_images, tmp_path, judged):
    read_source(write_marked_images(tmp_path / "set"), "mask-folder").write(tmp_path / "samples.parquet")
    subject = read_subject("severity", str(tmp_path / "samples.parquet"), [], 0, tmp_path)
    small = {"patch_px": 64, "epochs": 1, "patches": 8, "batch_size": 4, "threads": 1}
    assert set(judged(subject, **small)) == SCORES
    (split,) = tmp_path.glob("labels-*/split.json")
    labelled = split.stat().st_mtime_ns
    assert 0 <= judged(subject, **small)["mean_iou"] <= 1
    assert list(tmp_path.glob("labels-*/split.json")) == [split]
    assert split.stat().st_mtime_ns == labelled


def test_severity_labels_of_another_seed_or_another_way_to_read_are_not_taken(write_marked_images, tmp_path, judged):
    read_source(write_marked_images(tmp_path / "set"), "mask-folder").write(tmp_path / "samples.parquet")
    small = {"patch_px": 64, "epochs": 1, "patches": 8, "batch_size": 4, "threads": 1}
    for seed, cell_px in ((0, 4), (1, 4), (0, 2)):
        subject = read_subject("severity", str(tmp_path / "samples.parquet"), [], seed, tmp_path)
        judged(subject, **small, **{"detector.cell_px": cell_px})
    assert len(list(tmp_path.glob("labels-*"))) == 3


def test_folds_are_of_classifiers_alone(tmp_path):
    with pytest.raises(SettingsError, match="--fold is of classifiers, got"):
        read_subject("severity", str(tmp_path / "samples.parquet"), [1], 0, tmp_path)

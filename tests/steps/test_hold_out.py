"""A balanced subset with a share held out: what is drawn, judged, kept and refused."""

import json

import numpy as np
import pandas as pd
import pytest

from glassline.errors import DataError, SettingsError
from glassline.report.hold_out_section import CLASSES, TABLE, hold_out_sections
from glassline.steps.evaluate_classifier import METRICS, PREDICTIONS
from glassline.steps.hold_out import hold_out

LABELS = ["dent"] * 24 + ["mold"] * 12
GROUPS = [f"g{row // 2}" for row in range(len(LABELS))]
FAST = {"cnn": {"filters": 2, "pool_px": 4}, "epochs": 2}


@pytest.fixture
def write(make_table, tmp_path):
    """Write patches whose level tells the class, two of a group, one copy of each; all of one image: write()."""
    count, rng, levels = len(LABELS), np.random.default_rng(0), {"dent": 60, "mold": 190}
    patches = np.stack([rng.integers(levels[one] - 40, levels[one] + 40, (112, 112)) for one in LABELS])

    def run(groups=GROUPS):
        table = make_table(
            LABELS * 2, patches_NHW=np.concatenate([patches, patches]).astype(np.uint8), groups=[*groups, *groups],
            augmentation=[""] * count + ["flip_h"] * count, origin=[""] * count + [f"p{row}" for row in range(count)],
        )  # fmt: skip
        one_image = table.rows.assign(unit=table.rows["group"], unit_label=table.rows["label"])
        table.with_rows(one_image).write(tmp_path / "augmented.parquet")
        return str(tmp_path / "augmented.parquet")

    return run


@pytest.fixture
def judge(tmp_path):
    """Run the step and return its folder: judge(path, ["knn"], seed=0)."""

    def run(augmented, models, seed=0, store=None, **training):
        kept = store or str(tmp_path / "store")
        hold_out(augmented, models, {**FAST, **training}, seed, kept, 1, str(tmp_path / "out"))
        return tmp_path / "out"

    return run


def test_every_model_is_judged_on_the_same_real_patches_held_out_by_group(write, judge):
    # A clean ratio and patience would need other rows than those drawn.
    out = judge(write(), ["cnn", "knn"], clean_ratio=1, patience=3)
    predictions, classes = pd.read_parquet(out / PREDICTIONS), pd.read_parquet(out / CLASSES).set_index("class")
    assert classes["patches"].to_dict() == {"dent": 12, "mold": 12}
    assert classes["copies"].equals(classes["trained_on"].rename("copies"))
    assert classes["share_held_out"].between(0.15, 0.45).all()
    held = {name: set(rows["unit"]) for name, rows in predictions.groupby("model")}
    assert held["cnn"] == held["knn"]
    assert len(held["knn"]) == classes["held_out"].sum()
    assert held["knn"] <= {f"p{row}" for row in range(len(LABELS))}
    assert predictions["actual"].value_counts().to_dict() == (2 * classes["held_out"]).to_dict()
    np.testing.assert_allclose(predictions[["p_dent", "p_mold"]].sum(axis=1), 1, atol=1e-5)


def test_figures_of_every_model_are_those_of_its_predictions(write, judge):
    out = judge(write(), ["knn", "cnn"])
    predictions, table = pd.read_parquet(out / PREDICTIONS), pd.read_parquet(out / TABLE).set_index("model")
    metrics = json.loads((out / METRICS).read_text())
    assert list(table.index) == list(metrics) == ["knn", "cnn"]
    for name, rows in predictions.groupby("model"):
        accuracy = (rows["actual"] == rows["predicted"]).mean()
        assert table.loc[name, "accuracy"] == metrics[name]["accuracy"] == pytest.approx(accuracy)
        of_dent = rows[rows["actual"] == "dent"]
        assert table.loc[name, "recall_dent"] == pytest.approx((of_dent["predicted"] == "dent").mean())
        assert (out / f"confusion_{name}.png").stat().st_size > 1000
    assert table.loc["knn", "accuracy_low"] < table.loc["knn", "accuracy"]


def test_what_a_killed_try_fitted_is_not_fitted_again(write, judge, monkeypatch, place, elsewhere):
    path = write()
    first = pd.read_parquet(judge(path, ["svm"], store=place) / PREDICTIONS)
    monkeypatch.setattr("glassline.steps.hold_out.fit_and_predict", None)
    elsewhere()
    pd.testing.assert_frame_equal(pd.read_parquet(judge(path, ["svm"], store=place) / PREDICTIONS), first)
    with pytest.raises(TypeError):
        judge(path, ["svm"], seed=1, store=place)


def test_a_class_of_one_group_is_refused_with_a_remedy(write, judge, tmp_path):
    path = write(groups=[f"g{row}" for row in range(24)] + ["only"] * 12)
    with pytest.raises(DataError, match="got class 'mold' in 1 group; collect samples of it in other groups"):
        judge(path, ["knn"])
    assert not (tmp_path / "out").exists()


def test_an_unknown_method_is_refused(write, judge):
    with pytest.raises(SettingsError, match=r"models must be among mlp, .*svm, got \['resnet'\]"):
        judge(write(), ["resnet"])


def test_report_shows_methods_classes_draw_and_confusion(write, judge):
    (section,) = hold_out_sections(judge(write(), ["knn", "svm"]))
    methods, by_class, drawn = (one.rows for one in section.tables)
    assert [row["method"] for row in methods] == ["knn", "svm"]
    assert [(row["method"], row["measure"]) for row in by_class] == [
        ("knn", "precision"), ("knn", "recall"), ("svm", "precision"), ("svm", "recall"),
    ]  # fmt: skip
    assert {"dent", "mold", "average"} <= set(by_class[0])
    held = sum(row["held_out"] for row in drawn)
    assert f"Of these 24, {held} (" in section.note
    assert [figure.caption.split()[3] for figure in section.figures] == ["knn,", "svm,"]


def test_report_names_a_missing_file(write, judge):
    out = judge(write(), ["knn"])
    (out / CLASSES).unlink()
    with pytest.raises(DataError, match=r"missing: classes\.parquet; run hold_out again"):
        hold_out_sections(out)

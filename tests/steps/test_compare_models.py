"""Predictions of the folds, pooled and compared: intervals over groups, and every pair as a figure."""

import json

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.metrics import grouped_metrics
from glassline.errors import DataError
from glassline.steps.compare_models import COMPARISON, FIGURE, compare_models
from glassline.steps.evaluate_classifier import METRICS, evaluate_classifier

LABELS = ["dent", "mold"] * 30
GROUPS = [f"g{row // 4}" for row in range(len(LABELS))]


@pytest.fixture
def evaluation(make_table, tmp_path):
    """Judge 60 patches in 15 groups by a good and a poor model, and pool them; the poor one errs in whole groups."""
    table = make_table(LABELS, groups=GROUPS, fold=[row // 4 % 2 for row in range(len(LABELS))])
    table.write(tmp_path / "augmented.parquet")
    right = {"good": [True] * len(LABELS), "poor": [row // 4 % 3 != 0 for row in range(len(LABELS))]}
    parts = []
    for name, right_N in right.items():
        other = np.array([{"dent": "mold", "mold": "dent"}[one] for one in LABELS])
        predicted = np.where(right_N, LABELS, other)
        about = {"unit": table.rows["unit"], "fold": table.rows["fold"], "group": GROUPS}
        parts.append(pd.DataFrame({"model": name, **about, "actual": LABELS, "predicted": predicted}))
    (tmp_path / "part").mkdir()
    pd.concat(parts, ignore_index=True).to_parquet(tmp_path / "part" / "predictions.parquet")
    pd.DataFrame().to_parquet(tmp_path / "part" / "history.parquet")
    folder = tmp_path / "evaluation"
    evaluate_classifier([str(tmp_path / "part")], str(tmp_path / "augmented.parquet"), "good", str(folder))
    return folder


def test_pooled_metrics_have_intervals_that_know_the_groups(evaluation):
    poor = json.loads((evaluation / METRICS).read_text())["poor"]
    assert poor["macro_f1_low"] < poor["macro_f1"] < poor["macro_f1_high"]
    assert poor["recall_low_dent"] < poor["recall_dent"] < poor["recall_high_dent"]
    assert poor["accuracy"] == pytest.approx(2 / 3)
    predicted = [{"dent": "mold", "mold": "dent"}[one] if row // 4 % 3 == 0 else one for row, one in enumerate(LABELS)]
    apart = grouped_metrics(LABELS, predicted, [str(row) for row in range(60)], ["dent", "mold"])
    assert poor["accuracy_high"] - poor["accuracy_low"] > 1.5 * (apart.accuracy_high - apart.accuracy_low)


def test_comparison_holds_a_row_per_model_and_the_figure_of_every_pair(evaluation, tmp_path):
    compare_models(str(evaluation), "poor", 0, str(tmp_path / "comparison"))
    (row,) = pd.read_parquet(tmp_path / "comparison" / COMPARISON).to_dict("records")
    assert (row["model"], row["baseline"]) == ("good", "poor")
    assert 0 < row["difference_low"] < row["difference"] == pytest.approx(1 / 3)
    assert (tmp_path / "comparison" / FIGURE).read_bytes().startswith(b"\x89PNG")


def test_a_baseline_that_was_not_evaluated_leaves_no_folder(evaluation, tmp_path):
    with pytest.raises(DataError, match=r"one of the evaluated models \['good', 'poor'\], got 'cnn'"):
        compare_models(str(evaluation), "cnn", 0, str(tmp_path / "comparison"))
    assert not (tmp_path / "comparison").exists()

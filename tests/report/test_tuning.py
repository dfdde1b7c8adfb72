"""Figures of a search, whatever its trials came to."""

import itertools

import numpy as np
import pandas as pd
import pytest

from glassline.report.tuning import history_figure, importance_figure, slice_figure
from glassline.report.tuning_grid import grid_figure
from glassline.report.tuning_page import write_tuning_page
from glassline.tuning.spaces import Axis


@pytest.fixture
def trials():
    state = ["complete", "pruned", "failed", "complete"]
    score = [0.5, np.nan, np.nan, 0.75]
    return pd.DataFrame(
        {
            "trial": range(4), "state": state, "score": score, "epochs": [3, 1, 0, 3], "seconds": 1.0,
            "learning_rate": [1e-3, 1e-2, 1e-4, 3e-3], "metric.mining": ["hard", "hard", "semi_hard", "$x$"],
            "metric.squared": [True, False, True, True], "macro_f1": score, "accuracy": score,
        }
    )  # fmt: skip


def _grid(**choices):
    rows = pd.DataFrame(list(itertools.product(*choices.values())), columns=list(choices))
    return rows.assign(accuracy=np.linspace(0.5, 0.9, len(rows)))


def test_history_draws_the_best_so_far(trials):
    (axes,) = history_figure(trials, "macro_f1").axes
    best = next(line for line in axes.lines if line.get_label() == "best so far")
    np.testing.assert_array_equal(best.get_ydata(), [0.5, 0.5, 0.5, 0.75])
    assert axes.get_title(loc="left") == "macro F1 of each trial"


def test_slices_draw_complete_trials_over_numbers_names_and_flags(trials):
    names = ["learning_rate", "metric.mining", "metric.squared"]
    figure = slice_figure(trials, names, ["learning_rate"], "macro_f1")
    assert [axes.get_xlabel() for axes in figure.axes] == names
    assert figure.axes[0].get_xscale() == "log"
    assert [len(axes.collections[0].get_offsets()) for axes in figure.axes] == [2, 2, 2]
    figure.canvas.draw()


def test_importances_stand_in_order():
    (axes,) = importance_figure({"a": 0.2, "b": 0.7, "c": 0.1}).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("choices", "tables"),
    [
        ({"filters": [8, 16], "kernel": [2, 3, 5], "pool": [2, 3], "depth": [1, 2]}, 4),
        ({"filters": [8, 16], "kernel": [2, 3]}, 1),
        ({"filters": [8, 16, 32]}, 0),
    ],
)
def test_grid_groups_accuracy_by_each_setting_and_shows_every_combination(choices, tables):
    figure = grid_figure(_grid(**choices), list(choices))
    assert len(figure.axes) == len(choices) + tables
    figure.canvas.draw()


def test_grid_shows_a_combination_that_failed():
    rows = _grid(filters=[8, 16], kernel=[2, 3])
    rows.loc[0, "accuracy"] = np.nan
    figure = grid_figure(rows, ["filters", "kernel"])
    assert [text.get_text() for text in figure.axes[-1].texts] == ["–", ".633", ".767", ".900"]
    figure.canvas.draw()


def test_page_tells_ranges_and_lists_the_best_trial_first(trials, tmp_path):
    axis = Axis("learning_rate", "ours: around the default", low=1e-4, high=1e-2, log=True)
    facts = {"method": "<b>cnn</b>", "data": "abc"}
    path = tmp_path / "tune.html"
    write_tuning_page("macro_f1", 0.75, {"learning_rate": 3e-3}, trials, [axis], {}, facts, "glassline run", path)
    page = path.read_text()
    assert "0.0001 to 0.01, logarithmic" in page
    assert "<b>cnn</b>" not in page
    assert page.index("0.7500") < page.index("0.5000") if "0.5000" in page else "0.75" in page

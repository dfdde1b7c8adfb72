import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from glassline.errors import DataError
from glassline.report.figures import confusion_figure, curves_figure, fold_box_figure, save_figure


def _drawn(fig: Figure) -> list[str]:
    fig.savefig(io.BytesIO(), format="png", dpi=40)  # warnings of the drawing are errors here
    return [text.get_text() for axes in fig.axes for text in axes.texts]


def _history(models: int, folds: int, epochs: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"model": f"m{model}", "fold": fold, "epoch": epoch, "train_loss": 1 / (epoch + 1), "val_accuracy": 0.5}
            for model in range(models)
            for fold in range(folds)
            for epoch in range(epochs)
        ]
    )


def test_confusion_figure_writes_counts_and_share_of_the_row():
    texts = _drawn(confusion_figure([[30, 10], [0, 20]], ["dent", "mold"], "cnn"))
    assert texts == ["30", "75.0%", "10", "25.0%", "0", "20", "100%"]


def test_confusion_figure_titles_with_the_published_accuracy():
    published = [[15419, 111, 61, 744], [1, 4916, 6, 601], [50, 12, 3880, 234], [260, 720, 206, 87972]]
    fig = confusion_figure(published, ["dent", "mold", "fold", "control"], "A")
    assert fig.axes[0].get_title(loc="left") == "A · accuracy 0.9739"


def test_confusion_figure_names_every_class_when_there_are_twelve():
    names = [f"class {number}" for number in range(12)]
    fig = confusion_figure(np.eye(12) * 7, names, "cnn")
    _drawn(fig)
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == names


@pytest.mark.parametrize("counts", [[[5]], [[0]]])
def test_confusion_figure_draws_one_class(counts):
    assert _drawn(confusion_figure(counts, ["only"], "cnn"))[0] == str(counts[0][0])


def test_confusion_figure_refuses_a_matrix_of_other_classes():
    with pytest.raises(DataError, match="one row per class"):
        confusion_figure([[1, 2], [3, 4]], ["dent"], "cnn")


def test_confusion_figure_draws_names_that_look_like_formulas():
    _drawn(confusion_figure([[1, 0], [0, 1]], [r"$\bad{$", "a\nb"], r"$\frac$"))


def test_curves_figure_draws_each_fold_and_the_mean():
    fig = curves_figure(_history(models=2, folds=3, epochs=4))
    assert [len(axes.lines) for axes in fig.axes] == [2 * (3 + 1), 2 * (3 + 1)]


def test_curves_figure_draws_loss_alone_when_nothing_was_validated():
    history = _history(1, 1, 3).drop(columns=["val_accuracy", "model", "fold"]).assign(val_loss=np.nan)
    fig = curves_figure(history)
    _drawn(fig)
    assert [axes.get_title(loc="left") for axes in fig.axes] == ["loss"]


def test_curves_figure_marks_a_single_epoch():
    fig = curves_figure(_history(1, 1, 1))
    _drawn(fig)
    assert fig.axes[0].lines[0].get_marker() == "o"


def test_curves_figure_refuses_a_history_without_metrics():
    with pytest.raises(DataError, match="at least one metric"):
        curves_figure(pd.DataFrame({"epoch": [0, 1]}))


def test_fold_box_figure_has_a_row_per_model_and_a_point_per_fold():
    scores = pd.DataFrame(
        [
            {"model": model, "fold": fold, "accuracy": 0.8 + fold / 100, "macro_f1": 0.7}
            for model in ("mlp", "cnn")
            for fold in range(10)
        ]
    )
    fig = fold_box_figure(scores)
    assert "0.845" in _drawn(fig)
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == ["mlp", "cnn"]
    assert [len(points.get_offsets()) for points in fig.axes[0].collections] == [10, 10]


def test_fold_box_figure_draws_one_fold():
    _drawn(fold_box_figure(pd.DataFrame([{"model": "cnn", "fold": 0, "accuracy": 0.9, "macro_f1": np.nan}])))


def test_fold_box_figure_says_so_when_no_fold_is_there():
    empty = pd.DataFrame({"model": [], "fold": [], "accuracy": [], "macro_f1": []})
    assert _drawn(fold_box_figure(empty)) == ["no fold to show"] * 2


def test_save_figure_leaves_nothing_half_written(tmp_path):
    save_figure(confusion_figure([[1]], ["a"], ""), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

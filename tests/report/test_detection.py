import io

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.detection_tables import MEASURES
from glassline.analysis.severity_agreement import severity_agreement
from glassline.analysis.threshold import FilterThreshold
from glassline.report.detection import hits_figure, severity_figure, severity_labels_figure, threshold_figure


def _draw(fig):
    fig.savefig(io.BytesIO(), format="png", dpi=40)
    return fig


def _legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


def _annotated(count=12, missed=2, labelled=True):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"group": [str(n) for n in range(count)], "type": ["$dent_", "dust"] * (count // 2)})
    rows["partner"] = [0] * missed + [1] * (count - missed)
    for name in MEASURES:
        rows[name] = rng.uniform(1, 11, count) if labelled else np.nan
        rows[f"other_{name}"] = np.where(rows["partner"] > 0, rng.uniform(0, 12, count), np.nan)
    return rows


def test_threshold_figure_marks_what_was_chosen():
    curve = pd.DataFrame({"threshold": [3.0, 6.0, 9.0], "mean_iou": [0.4, 0.8, 0.2], "f1": [0.5, 0.7, 0.3]})
    fig = _draw(threshold_figure(curve, FilterThreshold(6.0, 0.8, 0.7, 0.9, 0.6)))
    assert fig.axes[0].get_title(loc="right") == "T = 6.00, mean IoU 0.800"
    assert [6.0, 6.0] in [list(line.get_xdata()) for line in fig.axes[0].lines]


def test_hits_figure_shows_every_one_of_equal_curves():
    curve = pd.DataFrame({"iou": [0, 0.5, 1], "recall": [1, 0.8, 0], "precision": [1, 0.9, 0.0]})
    fig = _draw(hits_figure({"alone": curve, "all": curve, "type right": curve}))
    assert _legend(fig) == ["alone", "all", "type right"]
    for axes in fig.axes:
        lines = [line for line in axes.lines if len(line.get_xdata()) == 3]
        assert [line.get_linewidth() for line in lines] == [6.0, 3.0, 1.5]
        assert len({line.get_color() for line in lines}) == 3


def test_hits_figure_says_so_where_nothing_was_found():
    curve = pd.DataFrame({"iou": [0, 1], "recall": [0, 0], "precision": [np.nan, np.nan]})
    fig = _draw(hits_figure({"alone": curve}))
    assert [text.get_text() for text in fig.axes[1].texts] == ["no precision to show"]


def test_severity_figure_tells_correlations_and_misses():
    rows = _annotated()
    fig = _draw(severity_figure(rows, severity_agreement(rows)))
    assert _legend(fig) == [r"\$dent_", "dust", "nothing found (2)"]
    for axes, told in zip(fig.axes, severity_agreement(rows)["spearman"], strict=True):
        assert axes.texts[0].get_text().startswith(f"rank correlation {told:.2f} (")
        assert sum(len(points.get_offsets()) for points in axes.collections) == 10


@pytest.mark.parametrize("rows", [_annotated(labelled=False), _annotated(4, 4), _annotated(0, 0)])
def test_severity_figure_says_so_when_nothing_compares(rows):
    fig = _draw(severity_figure(rows, severity_agreement(rows)))
    assert [axes.texts[0].get_text() for axes in fig.axes] == ["no matched defect has a labelled severity"] * 3


def test_labels_figure_counts_every_defect_and_joins_rare_types():
    rows = pd.DataFrame({"type": [f"type {number}" for number in range(10) for _ in range(10 - number)]})
    rows = rows.assign(severity_max=np.linspace(0, 12, len(rows)), severity_mean=np.nan)
    fig = _draw(severity_labels_figure(rows))
    assert _legend(fig) == [*(f"type {number} ({10 - number})" for number in range(8)), "other types (3)"]
    assert sum(bar.get_height() for bars in fig.axes[0].containers[-1:] for bar in bars) == 3
    assert max(bar.get_y() + bar.get_height() for bars in fig.axes[0].containers for bar in bars) <= len(rows)
    assert fig.axes[1].texts[0].get_text() == "no defect has a labelled severity"

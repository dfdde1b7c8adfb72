import io

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.operating_point import error_rates, trade_off
from glassline.errors import DataError
from glassline.report.segmentation import pr_figure, trade_off_figure

_PEAKS, _DEFECTIVE = np.array([0.9, 0.8, 0.1, 0.2, 0.85]), np.array([True, True, True, False, False])


def _draw(fig):
    fig.savefig(io.BytesIO(), format="png", dpi=40)
    return fig


def _legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


def _precision(precision, recall):
    return pd.DataFrame({"threshold": [0.2, 0.5, 0.9], "precision": precision, "recall": recall})


def test_pr_figure_names_the_best_f1_of_each_method():
    curves = {"network": _precision([0.5, 0.8, np.nan], [1, 0.8, 0]), "classical": _precision([0, 0, 0], [0, 0, 0])}
    assert _legend(_draw(pr_figure(curves))) == ["network: F1 0.800 at 0.50", "classical: F1 0.000 at 0.20"]


def test_pr_figure_leaves_out_a_method_that_predicts_nothing():
    curves = {"blank": _precision([np.nan] * 3, [0, 0, 0]), "network": _precision([0.5, 0.8, 1], [1, 0.8, 0.1])}
    fig = _draw(pr_figure(curves))
    assert [name.split(":")[0] for name in _legend(fig)] == ["network"]


@pytest.mark.parametrize("curves", [{}, {"network": _precision([np.nan] * 3, [0, 0, 0])}])
def test_pr_figure_says_so_when_nothing_is_known(curves):
    assert _draw(pr_figure(curves)).axes[0].texts[0].get_text() == "no precision to show"


def test_pr_figure_refuses_a_missing_column():
    with pytest.raises(DataError, match="curve network must have threshold, precision, recall, missing: recall"):
        pr_figure({"network": _precision([1] * 3, [1] * 3).drop(columns="recall")})


def test_trade_off_figure_marks_what_was_chosen_with_its_intervals():
    chosen = error_rates(_PEAKS, _DEFECTIVE, 0.5)
    fig = _draw(trade_off_figure({"network": trade_off(_PEAKS, _DEFECTIVE)}, {"network": chosen}))
    assert _legend(fig) == ["network", "chosen, with its 95 % interval"]
    ends = {tuple(np.round(bar.get_segments()[0][:, axis], 4)) for axis, bar in enumerate(fig.axes[0].collections)}
    assert ends == {
        tuple(np.round((chosen.fp_low, chosen.fp_high), 4)), tuple(np.round((chosen.fn_low, chosen.fn_high), 4)),
    }  # fmt: skip


def test_trade_off_curve_passes_through_what_was_chosen():
    chosen = error_rates(_PEAKS, _DEFECTIVE, 0.5)
    line = trade_off_figure({"network": trade_off(_PEAKS, _DEFECTIVE)}, {}).axes[0].lines[0]
    assert (chosen.fp_rate, chosen.fn_rate) in set(zip(*line.get_data(), strict=True))


def test_trade_off_figure_draws_a_single_point_and_no_curve():
    fig = _draw(trade_off_figure({}, {"paper": error_rates(_PEAKS, _DEFECTIVE, 0.5)}))
    assert _legend(fig)[0] == "paper"


@pytest.mark.parametrize("defective", [True, False])
def test_trade_off_figure_says_so_when_all_glasses_are_alike(defective):
    flags = np.full(5, defective)
    fig = _draw(trade_off_figure({"a": trade_off(_PEAKS, flags)}, {"a": error_rates(_PEAKS, flags, 0.5)}))
    assert fig.axes[0].texts[0].get_text() == "needs defective and clean glasses"


def test_trade_off_figure_refuses_a_missing_column():
    with pytest.raises(DataError, match="missing: fp_rate"):
        trade_off_figure({"a": trade_off(_PEAKS, _DEFECTIVE).drop(columns="fp_rate")}, {})

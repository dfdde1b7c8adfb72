"""Figures of affinity and selection: what stands in them, for one source and for many."""

import io
from dataclasses import replace

import numpy as np
import pytest

from glassline.analysis.affinity import Affinity
from glassline.analysis.source_selection import SelectionSettings, select_sources
from glassline.report.affinity import affinity_figure, gain_figure, selection_figure


def _draw(fig):
    fig.savefig(io.BytesIO(), format="png", dpi=40)
    return fig


def _affinity(sources, targets=1, gain=True):
    weight_ST = np.random.default_rng(0).gamma(1, size=(sources, targets)) + 0.05
    weight_ST /= weight_ST.sum(axis=0)
    names = tuple(f"phone screen product {number:02d}/scratch of $glass$ on the rim" for number in range(sources))
    gain_ST = np.log(weight_ST) if gain else np.full(weight_ST.shape, np.nan)
    of_targets = tuple(f"t{number}" for number in range(targets))
    return Affinity(names, of_targets, weight_ST, np.full(targets, 0.04), gain_ST)


def _texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(("sources", "targets"), [(1, 1), (5, 2), (40, 3)])
def test_every_affinity_is_written_best_first(sources, targets):
    affinity = _affinity(sources, targets)
    (axes,) = _draw(affinity_figure(affinity)).axes
    order_S = np.argsort(-affinity.weight_ST.sum(axis=1))
    assert _texts(axes) == [f"{weight:.3f}" for weight in affinity.weight_ST[order_S].ravel()]
    assert axes.get_xticklabels()[0].get_text() == "t0\nCR 0.04"


def test_long_names_keep_product_and_class():
    label = affinity_figure(_affinity(2)).axes[0].get_yticklabels()[0].get_text()
    assert label.startswith("phone screen")
    assert label.endswith("on the rim")


def test_a_source_that_was_not_compared_has_a_dash():
    affinity = _affinity(3, 2)
    affinity.weight_ST[1, 0] = 0
    assert "–" in _texts(affinity_figure(affinity).axes[0])


def test_gains_are_drawn_with_their_rank_correlation():
    fig = _draw(gain_figure(_affinity(5, 2)))
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["t0: Spearman 1.00", "t1: Spearman 1.00"]
    assert fig.axes[0].get_title(loc="left").endswith("Spearman of all 1.00")
    assert len(_texts(fig.axes[0])) == 10


def test_one_gain_has_no_correlation():
    fig = _draw(gain_figure(_affinity(1)))
    assert fig.legends[0].get_texts()[0].get_text() == "t0: Spearman not defined"


def test_no_gain_says_so():
    assert _texts(_draw(gain_figure(_affinity(3, gain=False))).axes[0]) == ["no gain was measured"]


@pytest.mark.parametrize("budget", [25, 60, 10_000])
def test_chosen_sources_are_stacked_up_to_what_they_take(budget):
    affinity = replace(_affinity(4), weight_ST=np.array([[0.4], [0.3], [0.2], [0.1]]))
    selection = select_sources(affinity, [30, 20, 25, 10], SelectionSettings(budget=budget))
    samples, affinities = _draw(selection_figure(selection)).axes
    chosen = len(selection.sources)
    ends = [bar.get_x() + bar.get_width() for bar in samples.patches]
    assert max(ends[:chosen]) == pytest.approx(selection.samples)
    assert all(bar.get_x() == 0 for bar in samples.patches[chosen:])
    assert samples.get_title(loc="left") == f"{selection.samples} samples of a budget of {budget:,}"
    assert affinities.get_title(loc="left") == f"Coverage {selection.coverage_T[0]:.2f}"
    assert bool(samples.lines) == (budget < 10_000)

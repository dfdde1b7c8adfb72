"""Choices of the integer program against every choice there is, and what is said about them."""

from itertools import product

import numpy as np
import pytest

from glassline.analysis.affinity import Affinity
from glassline.analysis.binary_program import UNIT
from glassline.analysis.selection_reasons import explain
from glassline.analysis.source_selection import SelectionSettings, program_of, select_sources
from glassline.errors import DataError


def _affinity(weight_ST, names=None):
    weight_ST = np.asarray(weight_ST, np.float64)
    weight_ST = weight_ST[:, None] if weight_ST.ndim == 1 else weight_ST
    sources, targets = weight_ST.shape
    return Affinity(
        tuple(names or "abcdefghij"[:sources]), tuple(f"t{number}" for number in range(targets)), weight_ST,
        np.zeros(targets), np.full(weight_ST.shape, np.nan),
    )  # fmt: skip


def _settings(**values):
    return SelectionSettings.parse(values)


def _drawn(seed):
    generator = np.random.default_rng(seed)
    sources, targets = int(generator.integers(2, 9)), int(generator.integers(1, 4))
    # Few values: many choices are equally good.
    weight_ST = generator.integers(1, 5, (sources, targets)).astype(float)
    samples_S = generator.integers(1, 6, sources)
    budget = int(generator.integers(samples_S.min(), samples_S.sum() + 1))
    return _affinity(weight_ST / weight_ST.sum(axis=0)), samples_S, budget, float(generator.choice([0, 0.3, 0.6]))


def _every_choice(affinity, samples_S, budget, coverage):
    """Every choice that fits, the best first: most affinity, fewest samples, first names."""
    fitting = []
    for chosen in product([True, False], repeat=len(samples_S)):
        chosen_S = np.array(chosen)
        covered_T = affinity.weight_ST[chosen_S].sum(axis=0)
        if samples_S[chosen_S].sum() <= budget and (covered_T >= coverage - 1e-5).all():
            value = int(np.rint(affinity.weight_ST / UNIT)[chosen_S].sum())
            fitting.append(((-value, samples_S[chosen_S].sum(), *(not one for one in chosen)), chosen))
    return [chosen for _, chosen in sorted(fitting)]


@pytest.mark.parametrize("seed", range(25))
def test_choice_is_the_best_of_all(seed):
    affinity, samples_S, budget, coverage = _drawn(seed)
    fitting = _every_choice(affinity, samples_S, budget, coverage)
    settings = _settings(budget=budget, coverage=coverage)
    if fitting:
        assert tuple(select_sources(affinity, samples_S, settings).chosen_S) == fitting[0]
        return
    reachable = [
        (samples_S[list(chosen)].sum(), affinity.weight_ST[list(chosen)].sum(axis=0).min())
        for chosen in product([True, False], repeat=len(samples_S))
    ]
    least = min(samples for samples, covered in reachable if covered >= coverage - 1e-5)
    largest = max(covered for samples, covered in reachable if samples <= budget)
    with pytest.raises(DataError, match=rf"got {coverage:g}; .*raise budget to {least}$") as told:
        select_sources(affinity, samples_S, settings)
    assert float(str(told.value).split("<= ")[1].split()[0]) == pytest.approx(largest, abs=2e-4)


def test_some_draws_are_impossible_and_some_are_not():
    fitting = [bool(_every_choice(*_drawn(seed))) for seed in range(25)]
    assert 2 < sum(fitting) < 24


@pytest.mark.parametrize("seed", range(3))
def test_permuted_sources_are_chosen_alike(seed):
    affinity, samples_S, budget, _ = _drawn(seed)
    order = np.random.default_rng(seed).permutation(len(samples_S))
    permuted = _affinity(affinity.weight_ST[order], [affinity.sources[index] for index in order])
    first, second = (
        select_sources(one, counts, _settings(budget=budget))
        for one, counts in ((affinity, samples_S), (permuted, samples_S[order]))
    )
    assert set(first.sources) == set(second.sources)


def test_what_is_advised_works():
    affinity, samples_S = _affinity([[0.5, 0.1], [0.3, 0.2], [0.2, 0.7]]), [30, 20, 40]
    with pytest.raises(DataError, match=r"coverage must be <= 0.3000 .* of 50 samples, got 0.6; .* budget to 70"):
        select_sources(affinity, samples_S, _settings(budget=50, coverage=0.6))
    assert select_sources(affinity, samples_S, _settings(budget=50, coverage=0.3)).samples <= 50
    chosen = select_sources(affinity, samples_S, _settings(budget=70, coverage=0.6))
    assert chosen.sources == ("a", "c")
    np.testing.assert_allclose(chosen.coverage_T, [0.7, 0.8])


def test_the_whole_of_thirds_is_covered_by_all_sources():
    chosen = select_sources(_affinity([1 / 3] * 3), [1, 1, 1], _settings(budget=3, coverage=1))
    assert chosen.chosen_S.all()


@pytest.mark.parametrize(
    ("samples", "budget", "match"),
    [
        ([9, 7], 6, "one source at least, 7 samples of b, got 6"),
        ([9, 0], 6, "a number >= 1 for each of 2 sources, got \\[9, 0\\]"),
        ([9], 6, "for each of 2 sources"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(samples, budget, match):
    with pytest.raises(DataError, match=match):
        select_sources(_affinity([0.6, 0.4]), samples, _settings(budget=budget))


def test_reasons_tell_what_a_change_costs():
    selection = select_sources(_affinity([0.5, 0.3, 0.15, 0.05]), [50, 40, 30, 200], _settings(budget=95))
    told = explain(selection).set_index("source")
    assert list(told["chosen"]) == [True, True, False, False]
    assert told.loc["a", "why"] == "the best choice without it has 0.350 less affinity, with c instead"
    assert told.loc["b", "why"] == "the best choice without it has 0.150 less affinity, with c instead"
    assert told.loc["c", "why"] == (
        "beside the chosen it needs 25 more samples of budget; the best choice with it, without b, has 0.150 less "
        "affinity"
    )
    assert told.loc["d", "why"] == "alone it exceeds the budget by 105 samples"
    assert told.loc["a", "affinity of t0"] == 0.5


def test_reasons_tell_of_ties_and_coverage():
    tied = explain(select_sources(_affinity([0.4, 0.4, 0.2]), [10, 10, 9], _settings(budget=10)))["why"]
    assert tied[0] == "as good as the best choice without it, which comes after it by name"
    assert tied[1] == "as good as the choice made, but the best choice with it comes later by name"
    covering = _affinity([[0.5, 0.1], [0.3, 0.2], [0.2, 0.7]])
    told = explain(select_sources(covering, [30, 20, 40], _settings(budget=70, coverage=0.6)))["why"]
    assert told[0] == "without it the coverage cannot be reached within the budget"
    assert told[1] == "with it the coverage cannot be reached within the budget"


@pytest.mark.parametrize("seed", range(6))
def test_reasons_are_true_of_every_choice(seed):
    affinity, samples_S, budget, _ = _drawn(seed)
    selection = select_sources(affinity, samples_S, _settings(budget=budget))
    program = program_of(affinity, samples_S, selection.settings)
    fitting = _every_choice(affinity, samples_S, budget, 0)
    for index, why in enumerate(explain(selection)["why"]):
        others = [chosen for chosen in fitting if chosen[index] != selection.chosen_S[index]]
        if "exceeds" in why:
            assert not others
            continue
        lost = (program.value(selection.chosen_S) - program.value(np.array(others[0]))) * UNIT
        assert (f"has {lost:.3f} less affinity" in why) == (lost > 0)
        assert ("as good as" in why) == (lost == 0)

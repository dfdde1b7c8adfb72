"""Affinity of losses by hand and of synthetic sources; files; rank correlation with gains."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.affinity import affinity_of, rank_correlation, read_affinity
from glassline.analysis.heads import Examples, head_losses
from glassline.errors import DataError


def _draw(seed, number, along_F, noise_only=False):
    generator = np.random.default_rng(seed)
    defective_N = generator.random(number) < 0.5
    features_NF = generator.normal(size=(number, len(along_F)))
    return Examples(features_NF if noise_only else features_NF + np.outer(defective_N * 2.5, along_F), defective_N)


@pytest.fixture(scope="module")
def losses():
    """Two targets whose defects lie along two axes, a source like each, one of other defects, and noise."""
    axes = {"first": np.eye(6)[0], "second": np.eye(6)[1]}
    sources = {
        "like first": _draw(10, 200, axes["first"]), "like second": _draw(11, 200, axes["second"]),
        "elsewhere": _draw(12, 200, np.eye(6)[2]), "noise": _draw(13, 200, axes["first"], noise_only=True),
    }  # fmt: skip
    return {
        name: {
            source: head_losses(_draw(20, 16, along_F), examples, _draw(21, 150, along_F))
            for source, examples in sources.items()
        }
        for name, along_F in axes.items()
    }


def test_sources_like_the_target_come_first_and_noise_is_worth_least(losses):
    affinity = affinity_of(losses)
    np.testing.assert_allclose(affinity.weight_ST.sum(axis=0), 1)
    assert affinity.weight_ST.min() > 0
    assert [affinity.sources[index] for index in affinity.weight_ST.argmax(axis=0)] == ["like first", "like second"]
    assert [affinity.sources[index] for index in affinity.weight_ST.argmin(axis=0)] == ["noise", "noise"]
    assert (affinity.consistency_T < 0.1).all()


def test_permuted_sources_have_permuted_affinities(losses):
    permuted = affinity_of({target: dict(reversed(of.items())) for target, of in losses.items()})
    straight = affinity_of(losses)
    assert permuted.sources == straight.sources[::-1]
    np.testing.assert_allclose(permuted.weight_ST[::-1], straight.weight_ST)


def test_a_source_of_the_target_itself_has_none(losses):
    first = {name: loss_N for name, loss_N in losses["first"].items() if name != "like first"}
    affinity = affinity_of({"first": first, "second": losses["second"]})
    place = affinity.sources.index("like first")
    assert affinity.weight_ST[place, 0] == 0
    assert affinity.weight_ST[place, 1] > 0
    np.testing.assert_allclose(affinity.weight_ST.sum(axis=0), 1)
    assert len(affinity.to_frame()) == 7


def test_a_single_source_has_all_of_it():
    affinity = affinity_of({"t": {"a": [0.3, 0.4]}})
    assert affinity.weight_ST.tolist() == [[1]]
    assert affinity.consistency_T.tolist() == [0]


def test_a_circle_of_wins_is_refused_by_target():
    # a beats b, b beats c, c beats a, on two of three samples each.
    circle = {"a": [0, 2, 1] * 20, "b": [1, 0, 2] * 20, "c": [2, 1, 0] * 20}
    with pytest.raises(DataError, match=r"target t: the consistency ratio must be <= 0\.1, got"):
        affinity_of({"t": circle})
    np.testing.assert_allclose(affinity_of({"t": circle}, 9).weight_ST, 1 / 3)


@pytest.mark.parametrize("losses", [{}, {"t": {}}])
def test_a_target_without_sources_is_refused(losses):
    with pytest.raises(DataError, match="affinity needs a target and sources for each"):
        affinity_of(losses)


def test_what_was_written_is_read(losses, tmp_path):
    affinity = affinity_of(losses)
    gain_ST = affinity.gain_ST.copy()
    gain_ST[0] = 0.25
    affinity = replace(affinity, gain_ST=gain_ST)
    affinity.write(tmp_path / "affinity.json")
    assert "NaN" not in (tmp_path / "affinity.json").read_text()
    again = read_affinity(tmp_path / "affinity.json")
    assert (again.sources, again.targets) == (affinity.sources, affinity.targets)
    for name in ("weight_ST", "consistency_T", "gain_ST"):
        np.testing.assert_array_equal(getattr(again, name), getattr(affinity, name))
    pd.testing.assert_frame_equal(again.to_frame(), affinity.to_frame())


@pytest.mark.parametrize("content", ["", "[]", '{"sources": ["a"], "targets": ["t"], "affinity": [[1, 2]]}'])
def test_what_is_no_affinity_is_refused(tmp_path, content):
    (tmp_path / "affinity.json").write_text(content)
    with pytest.raises(DataError, match="must tell affinities, got none"):
        read_affinity(tmp_path / "affinity.json")


def _correlations(affinity, gain_ST):
    return rank_correlation(affinity, gain_ST).set_index("target")["spearman"]


def test_rank_correlation_is_that_of_ranks(losses):
    affinity = affinity_of(losses)
    alike = _correlations(affinity, np.exp(5 * affinity.weight_ST) * [1, 100])
    np.testing.assert_allclose(alike, 1)
    one_turned = affinity.weight_ST * [1, -1]
    np.testing.assert_allclose(_correlations(affinity, one_turned), [1, -1, 0], atol=1e-12)


def test_rank_correlation_of_too_little_is_none(losses):
    affinity, gain_ST = affinity_of(losses), np.full((4, 2), np.nan)
    gain_ST[:2, 0], gain_ST[:, 1] = [1, 2], 0.5
    table = rank_correlation(affinity, gain_ST).set_index("target")
    assert table["sources"].to_dict() == {"first": 2, "second": 4, "all": 6}
    assert table.loc[["first", "second"], "spearman"].isna().all()

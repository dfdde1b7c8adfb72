"""Heads on synthetic features: which source helps a target."""

from dataclasses import replace

import numpy as np
import pytest

from glassline.analysis.heads import Examples, draw_rows, even_weights, head_losses
from glassline.data.sources import Source, sources_of
from glassline.errors import DataError


def _draw(seed, number, angle_deg=0.0, shift=2.0, defective=None, features=8):
    """Defects lie along a direction of the features."""
    generator = np.random.default_rng(seed)
    defective_N = generator.random(number) < 0.5 if defective is None else np.full(number, defective)
    along = np.eye(features)[0] * np.cos(np.deg2rad(angle_deg)) + np.eye(features)[1] * np.sin(np.deg2rad(angle_deg))
    features_NF = generator.normal(size=(number, features)) + np.outer(defective_N * shift, along)
    return Examples(features_NF.astype(np.float32), defective_N)


def _mean(source, target=None, held=None):
    return head_losses(target or _draw(1, 20), source, held or _draw(2, 200)).mean()


def test_a_source_like_the_target_helps_most_and_one_that_contradicts_it_least():
    like, unlike, against = (_mean(_draw(3, 300, angle_deg)) for angle_deg in (0, 90, 180))
    assert like < unlike < against


@pytest.mark.parametrize("kinds", [[True] * 50, [False] * 3, [True] * 50 + [False]])
def test_clean_and_defective_keep_the_targets_shares(kinds):
    # Features that tell nothing leave the head its shares alone.
    target, source, held = (Examples(np.zeros((len(of), 4)), np.array(of)) for of in
                            ([True] * 3 + [False] * 7, kinds, [True, False]))  # fmt: skip
    np.testing.assert_allclose(np.exp(-head_losses(target, source, held)), [0.3, 0.7], rtol=1e-3)


def test_many_rows_of_a_source_weigh_as_much_as_few():
    few = _draw(3, 30)
    many = Examples(np.tile(few.features_NF, (10, 1)), np.tile(few.defective_N, 10))
    np.testing.assert_allclose(_mean(many), _mean(few), rtol=1e-3)


def test_scale_and_constants_of_features_do_not_matter():
    scaled = [replace(one, features_NF=np.hstack([one.features_NF * 50 + 7, np.ones((len(one.defective_N), 1))]))
              for one in (_draw(3, 100), _draw(1, 20), _draw(2, 200))]  # fmt: skip
    np.testing.assert_allclose(_mean(*scaled), _mean(_draw(3, 100)), rtol=1e-3)


def test_many_features_that_tell_nothing_do_not_make_a_head_sure():
    generator = np.random.default_rng(0)
    noise = [
        Examples(generator.normal(size=(number, 1000)), generator.random(number) < 0.5) for number in (30, 60, 300)
    ]
    target, source, held = noise
    assert head_losses(target, source, held).mean() == pytest.approx(np.log(2), abs=0.1)


def test_clean_and_defective_count_alike():
    weight_N = even_weights(np.array([True, False, False, False]))
    assert weight_N[0] == weight_N[1:].sum()


def test_a_sample_far_on_the_wrong_side_has_a_finite_loss():
    far = Examples(np.eye(8)[:1] * -1e6, np.array([True]))
    assert 1e3 < _mean(_draw(3, 100), held=far) < np.inf


def test_a_target_of_one_kind_is_refused():
    with pytest.raises(DataError, match="clean and defective samples of the target, got only clean ones"):
        _mean(_draw(3, 20), _draw(1, 20, defective=False))


def test_features_that_are_no_numbers_are_refused():
    broken = _draw(3, 20)
    broken.features_NF[4, 2] = np.nan
    with pytest.raises(DataError, match="features must be finite"):
        _mean(broken)


def _source(make_table, labels, name="A"):
    table = replace(make_table(labels, classes=("clean", "dent"), product=name), clean_class="clean")
    return sources_of([table], "table")[0]


def test_rows_are_drawn_in_turn_from_clean_and_defective(make_table):
    source = _source(make_table, ["clean"] * 30 + ["dent"] * 4)
    drawn_N = draw_rows(source, 10, 0)
    assert len(set(drawn_N)) == 10
    assert (drawn_N >= 30).sum() == 4
    np.testing.assert_array_equal(draw_rows(source, 10, 0), drawn_N)
    assert set(draw_rows(source, 10, 1)) != set(drawn_N)
    np.testing.assert_array_equal(draw_rows(source, 99, 0), np.arange(34))


def test_rows_are_positions_in_the_table(make_table):
    source = _source(make_table, ["dent", "clean"] * 5)
    part = Source("A/clean", source.table, np.arange(1, 10, 2))
    assert set(draw_rows(part, 3, 0)) <= {1, 3, 5, 7, 9}

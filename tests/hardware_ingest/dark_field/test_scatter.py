import numpy as np
import pytest

from hardware_ingest.dark_field.scatter import View, even_lobe, flank_lobe, rugged_lobe


def pairs(lobe):
    return np.array([lobe[deg] + lobe[(deg + 180) % 360] for deg in range(180)])


def test_flank_scatters_most_when_lit_across_and_hardly_when_lit_along():
    pair = pairs(flank_lobe(5, 0.05, 0.5))
    assert pair.argmax() == 0
    assert pair[90] < 0.06 * pair[0]


def test_flank_is_seen_no_narrower_than_the_beam_of_a_group():
    pair = pairs(flank_lobe(0.1, 0.0, 0.0))
    assert pair[12] == pytest.approx(pair[0] / 2, rel=0.1)  # 25 degrees wide at half maximum


def test_flank_with_skew_is_brighter_from_one_side_and_the_same_from_both():
    skewed, plain = flank_lobe(5, 0.05, 0.5), flank_lobe(5, 0.05, 0.0)
    assert skewed[0] > 2.5 * skewed[180]
    np.testing.assert_allclose(pairs(skewed), pairs(plain), rtol=1e-5)


def test_rugged_profile_has_several_peaks():
    pair = pairs(rugged_lobe(np.random.default_rng(0), 0.05))
    peaks = [deg for deg in range(180) if pair[deg] > max(pair[deg - 1], pair[(deg + 1) % 180])]
    assert 2 <= len(peaks) <= 4
    assert pair.max() == pytest.approx(2.0, rel=1e-3)


def test_even_scatter_hardly_depends_on_direction():
    pair = pairs(even_lobe(0.1))
    assert pair.min() / pair.max() == pytest.approx(0.9 / 1.1, rel=1e-3)


@pytest.mark.parametrize(
    ("bounds", "seen"), [((0.5, 0.5, 1, 1), True), ((-1, -1, -0.1, 5), False), ((3, 0, 4, 1), False)]
)
def test_view_sees_what_reaches_into_it(bounds, seen):
    assert View(0, 0, 200, 200, 11.4).sees(bounds) is seen

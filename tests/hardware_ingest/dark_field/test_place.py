import numpy as np
import pytest

from hardware_ingest.dark_field.contaminants import Grain
from hardware_ingest.dark_field.marks import Dent
from hardware_ingest.dark_field.scatter import Mark, even_lobe, flank_lobe

ROW = COLUMN = round(1 / 0.0114)


def states(place, row=ROW, column=COLUMN):
    return [float(place.rate((state, state + 6), 0.0)[row, column]) for state in range(6)]


@pytest.mark.parametrize("state", range(6))
def test_scratch_is_brightest_in_the_state_that_lights_it_across(see, flank, state, line):
    levels = states(see(Mark("scratch", "triangular", line(30.0 * state), 50, flank)))
    assert int(np.argmax(levels)) == state
    assert min(levels) < 0.1 * max(levels)


def test_dust_is_even_over_all_states(see):
    levels = states(see(Mark("dust", "grain", Grain(1, 1, ((0, 0, 0.03),)), 500, even_lobe(0.08))))
    assert min(levels) > 0.8 * max(levels) > 100


def test_dent_shines_on_the_slopes_that_face_the_light(see):
    place = see(Mark("dent", "pit", Dent(1, 1, 0.2, 1.0, 0.0), 50, flank_lobe(20, 0.1, 0.0)))
    beside, below = round(0.2 / 0.0114), round(0.2 / 0.0114)
    across, along = states(place, ROW, COLUMN + beside), states(place, ROW + below, COLUMN)
    assert int(np.argmax(across)) == 0
    assert int(np.argmax(along)) == 3


def test_light_of_several_groups_is_the_sum_of_each(see, flank, line):
    place = see(
        Mark("scratch", "triangular", line(20.0), 50, flank), Mark("dust", "grain", line(60.0), 9, even_lobe(0))
    )
    single = sum(place.rate((group,), 0.0) for group in (1, 4, 7))
    np.testing.assert_allclose(place.rate((1, 4, 7), 0.0), single, rtol=1e-5, atol=1e-5)


def test_marks_on_one_another_add_up(see):
    grain = Mark("dust", "grain", Grain(1, 1, ((0, 0, 0.03),)), 500, even_lobe(0))
    np.testing.assert_allclose(see(grain, grain).rate((0,), 0), 2 * see(grain).rate((0,), 0), rtol=1e-5)


def test_stray_light_needs_no_group_and_adds_to_none(see):
    place = see()
    np.testing.assert_array_equal(place.rate((), 0.3), np.float32(0.3))
    np.testing.assert_allclose(place.rate((3,), 0.3), 0.3, rtol=1e-6)

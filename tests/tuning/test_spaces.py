"""What is searched: settings that exist, within their ranges, for every method."""

import itertools

import pytest

from glassline.models.settings import MODEL_NAMES, NETWORK_NAMES
from glassline.tuning.spaces import GRIDS, SEVERITY, SPACES
from glassline.tuning.subject import default_settings, with_values


def test_every_method_has_a_space():
    assert set(SPACES) == {*MODEL_NAMES, *NETWORK_NAMES, SEVERITY}


@pytest.mark.parametrize("method", SPACES)
def test_every_end_of_every_range_is_accepted(method):
    for axis in SPACES[method]:
        for value in axis.choices or (axis.low, axis.high):
            assert with_values(default_settings(method), {axis.setting: value})
    assert all(axis.choices or axis.low < axis.high for axis in SPACES[method])


def test_every_combination_of_the_grid_leaves_something_of_a_patch():
    choices = {axis.setting: axis.choices for axis in GRIDS["cnn"]}
    assert set(choices) == {"cnn.filters", "cnn.kernel_px", "cnn.pool_px", "cnn.depth"}
    assert all(pool**depth <= 112 for pool, depth in itertools.product(choices["cnn.pool_px"], choices["cnn.depth"]))

"""Figures and sections of a cycle's check: degenerate cases draw, and a folder that lacks a file is named."""

import numpy as np
import pandas as pd
import pytest

from glassline.errors import DataError
from glassline.report.cycle_check_section import cycle_check_sections
from glassline.report.cycle_figures import attributes_figure, counts_figure, light_figure, map_figure, sheet_figure
from glassline.report.figures import save_figure

PATCH = np.full((20, 20), 90, np.uint8)


def _draw(figure, tmp_path):
    save_figure(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_sheet_draws_a_class_that_one_side_lacks(tmp_path):
    _draw(sheet_figure({"dent": [PATCH]}, {"mold": [PATCH] * 9}, ["dent", "mold"]), tmp_path)


def test_sheet_without_last_cycle_has_one_column():
    assert len(sheet_figure({}, {"mold": [PATCH]}, ["mold"]).axes) == 1


def test_counts_draw_names_as_they_are_written(tmp_path):
    counts = pd.DataFrame({"label": ["$a$", "b" * 60], "units": [3, 4], "last_units": [0, 0]})
    _draw(counts_figure(counts, 10, compared=True), tmp_path)


def test_light_draws_nothing_where_no_image_was_read(tmp_path):
    _draw(light_figure(pd.DataFrame(columns=["rig", "state"]), pd.DataFrame()), tmp_path)


def test_attributes_draw_nothing_where_none_is_known(tmp_path):
    _draw(attributes_figure(pd.DataFrame(columns=["attribute", "shift", "drifted"])), tmp_path)


@pytest.mark.parametrize("width", [1, 2, 30])
def test_map_draws_features_of_any_width(width, tmp_path):
    features_NF = np.random.default_rng(0).normal(size=(12, width))
    _draw(map_figure(features_NF, np.arange(12) > 5, ["a", "b"] * 6, "gradients"), tmp_path)


def test_map_draws_equal_features(tmp_path):
    _draw(map_figure(np.ones((6, 3)), np.arange(6) > 2, ["a"] * 6, "gradients"), tmp_path)


def test_sections_of_an_empty_folder_name_what_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"missing: check\.json"):
        cycle_check_sections(tmp_path)

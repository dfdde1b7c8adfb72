"""The step that selects sources: what it writes and refuses."""

import json

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.affinity import Affinity
from glassline.analysis.source_selection import read_selection
from glassline.errors import DataError, SettingsError
from glassline.steps.select_sources import FIGURE, REASONS, SELECTION, select_sources


@pytest.fixture
def measured(tmp_path):
    folder = tmp_path / "affinity"
    folder.mkdir()
    weight_ST = np.array([[0.5], [0.3], [0.2]])
    Affinity(("A/dent", "A/clean", "B/dent"), ("T",), weight_ST, np.zeros(1), weight_ST * np.nan).write(
        folder / "affinity.json"
    )
    (folder / "samples.json").write_text(json.dumps({"A/clean": 60, "A/dent": 50, "B/dent": 40}))
    return folder


def test_selection_reasons_and_figure_are_written(measured, tmp_path):
    select_sources(str(measured), {"budget": 95.0, "coverage": 0.6}, str(tmp_path / "out"))
    told = json.loads((tmp_path / "out" / SELECTION).read_text())
    assert told == {
        "chosen": ["A/dent", "B/dent"], "samples": 90, "budget": 95, "coverage": 0.6, "covered": {"T": 0.7},
        "candidates": {"A/dent": 50, "A/clean": 60, "B/dent": 40},
    }  # fmt: skip
    chosen, candidates, budget = read_selection(tmp_path / "out" / SELECTION)
    assert (chosen, candidates, budget) == (("A/dent", "B/dent"), told["candidates"], 95)
    reasons = pd.read_parquet(tmp_path / "out" / REASONS).set_index("source")
    assert list(reasons["chosen"]) == [True, False, True]
    assert reasons.loc["A/clean", "why"].startswith("with it the coverage cannot be reached")
    assert (tmp_path / "out" / FIGURE).stat().st_size > 1000


@pytest.mark.parametrize(
    ("selection", "error", "match"),
    [
        ({"budget": 30}, DataError, "one source at least, 40 samples of B/dent, got 30"),
        ({"budget": 95, "coverage": 0.9}, DataError, "raise budget to 150"),
        ({"budget": 0}, SettingsError, "budget: .*greater than or equal to 1"),
    ],
)
def test_what_cannot_be_selected_is_refused(measured, tmp_path, selection, error, match):
    with pytest.raises(error, match=match):
        select_sources(str(measured), selection, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_folder_without_samples_is_refused(measured, tmp_path):
    (measured / "samples.json").unlink()
    with pytest.raises(DataError, match="must tell the samples of sources"):
        select_sources(str(measured), {"budget": 95}, str(tmp_path / "out"))


def test_what_is_no_selection_is_refused(tmp_path):
    with pytest.raises(DataError, match="must tell chosen sources, got none"):
        read_selection(tmp_path / "selection.json")

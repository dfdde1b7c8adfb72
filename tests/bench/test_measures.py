"""Measuring functions that need no training: printed matrices, counts, and sums beside plain loops."""

from pathlib import Path

import pytest

from glassline.bench.catalogue import catalogue
from glassline.bench.entry import Entry
from glassline.bench.measured import Bench, Measured
from glassline.bench.run import measuring
from glassline.data.store import open_store

SUMS = [one for one in catalogue().values() if one.measure.startswith(("equations:", "images:"))]


def measure(name: str, tmp_path: Path, data: str = "") -> Measured:
    return measuring(catalogue()[name])(Bench(data, "smoke", 0, open_store(tmp_path / "store")))


@pytest.mark.parametrize("entry", SUMS, ids=lambda entry: entry.id)
def test_equation_agrees_with_plain_loops(entry: Entry, tmp_path: Path) -> None:
    found = measure(entry.id, tmp_path)
    assert set(found.values) == set(entry.published)
    assert max(found.values.values()) < 1e-5


@pytest.mark.parametrize("name", ["a-table-3", "b-table-5"])
def test_printed_matrix_gives_the_printed_figures(name: str, tmp_path: Path) -> None:
    found, published = measure(name, tmp_path).values, catalogue()[name].published
    assert {quantity: found[quantity] for quantity in published} == pytest.approx(published, abs=1e-4)


def test_unet_saves_what_the_paper_says(tmp_path: Path) -> None:
    found = measure("c-fig-7", tmp_path).values
    assert found["difference"] == pytest.approx(30.5, abs=0.1)
    assert found["nested"] == pytest.approx(13.9, rel=0.05)


def test_detector_has_the_printed_convolutions(tmp_path: Path) -> None:
    found = measure("e-table-1", tmp_path)
    assert found.values["convolutions as printed"] == 18
    assert found.values["pixels of the output"] == 4096
    assert found.body[0].rows[0] == ("1", "5 x 5", "1", "16")


def test_perfect_detector_is_better_on_smaller_cells(shared_data: Path, tmp_path: Path) -> None:
    found = measure("e-grid", tmp_path, str(shared_data / "cfd")).values
    assert found["F1, cells of 4 px"] < found["F1, cells of 2 px"] < found["F1, cells of 1 px"] == 1

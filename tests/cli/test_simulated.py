"""Data that a run simulates when it names none: of the kind and in the place that its pipeline expects."""

from pathlib import Path

import pytest

from glassline.data.importers import read_source
from glassline_cli import simulated
from glassline_cli.simulated import simulated_data
from pipelines.catalogue import PIPELINES


@pytest.fixture(autouse=True)
def _one_glass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(simulated.GLASSES, "smoke", 1)


@pytest.mark.parametrize("pipeline", ["capture", "end_to_end"])
def test_simulated_session_is_hashed_with_its_annotations(pipeline: str, tmp_path: Path) -> None:
    settings = PIPELINES[pipeline].presets["smoke"]()
    session = simulated_data(settings.simulated, "smoke", settings.seed, tmp_path)
    captures, annotations = settings.hash_of(str(session)).split("+")
    arguments = settings.arguments(str(session), f"{captures}+{annotations}", str(tmp_path / "store"))
    assert (arguments["session_hash"], arguments["annotations_sha256"]) == (captures, annotations)
    assert Path(arguments["annotations"]) == session.parent / "annotations.json"
    assert sorted(path.name for path in (session / "G0001.zarr").glob("*-*")) == [
        "clean-00", "clean-01", "marked-00", "marked-01",
    ]  # fmt: skip


def test_simulated_labels_are_a_source_of_retrain_and_made_once(tmp_path: Path) -> None:
    settings = PIPELINES["retrain"].presets["captures-smoke"]()
    first = simulated_data(settings.simulated, "captures-smoke", 0, tmp_path)
    assert len(read_source(first, settings.data_format).rows) == 2
    made_ns = (first / "truth.json").stat().st_mtime_ns
    assert simulated_data(settings.simulated, "captures-smoke", 0, tmp_path) == first
    assert (first / "truth.json").stat().st_mtime_ns == made_ns

"""An entry is measured once, told beside what is published, and refused where it cannot be measured."""

from pathlib import Path

import pytest

from glassline import tracking
from glassline.bench.run import result_of
from glassline.errors import DataError, SettingsError
from glassline.steps.run_benchmark import run_benchmark
from glassline.steps.write_results import write_results


@pytest.fixture(autouse=True)
def _own_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)


def measured(tmp_path: Path, name: str = "a-table-3", folder: str = "result", **entry: str) -> Path:
    place = tmp_path / folder
    run_benchmark({"id": name, **entry}, [], "smoke", 0, str(tmp_path / "store"), 1, str(place))
    return place


def test_run_benchmark_leaves_result_and_figure(tmp_path: Path) -> None:
    place = measured(tmp_path)
    assert result_of(place).values["a-table-3"]["accuracy"] == pytest.approx(0.9739, abs=1e-4)
    assert (place / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_run_benchmark_logs_published_ours_and_their_difference(tmp_path: Path) -> None:
    measured(tmp_path)
    (run,) = tracking.client().search_runs(["1"])
    assert run.data.metrics["published_accuracy"] == 0.9739
    assert abs(run.data.metrics["difference_accuracy"]) < 1e-4
    assert "glassline bench --entry a-table-3" in run.data.params["command"]


def test_run_benchmark_measures_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = measured(tmp_path)
    monkeypatch.setattr("glassline.bench.run.measuring", lambda entry: pytest.fail("measured again"))
    assert result_of(measured(tmp_path, folder="again")) == result_of(first)


def test_run_benchmark_refuses_an_unknown_entry(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--entry must be one of"):
        measured(tmp_path, "a-table-77")


def test_run_benchmark_refuses_what_no_function_measures(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must have a measuring function, got 'c-table-1'"):
        measured(tmp_path, "c-table-1")


def test_run_benchmark_refuses_missing_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="e-grid needs the data set 'cfd' below --data, got nothing"):
        measured(tmp_path, "e-grid")


def test_run_benchmark_refuses_data_that_changed_since_submission(tmp_path: Path) -> None:
    (tmp_path / "data" / "cfd").mkdir(parents=True)
    (tmp_path / "data" / "cfd" / "one.txt").write_text("1")
    entry = {"id": "e-grid", "data_hash": "0" * 64}
    with pytest.raises(DataError, match="must be as it was at submission"):
        run_benchmark(entry, [str(tmp_path / "data")], "smoke", 0, str(tmp_path / "store"), 1, str(tmp_path / "result"))


def test_write_results_puts_all_results_on_a_page(tmp_path: Path) -> None:
    places = [str(measured(tmp_path, name, name)) for name in ("b-table-5", "a-table-3")]
    write_results(places, str(tmp_path / "results"))
    page = (tmp_path / "results" / "results.md").read_text()
    assert "| accuracy | 0.9739 | 0.9739 |" in page
    assert "| accuracy | 0.8974 | 0.8974 |" in page

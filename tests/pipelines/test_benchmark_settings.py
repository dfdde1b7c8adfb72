"""What a benchmark is asked for is checked before anything runs."""

from pathlib import Path

import pytest

from glassline.errors import SettingsError
from pipelines.benchmark_settings import PRESETS, BenchmarkSettings


def asked(data: str, **settings: object) -> list[str]:
    arguments = BenchmarkSettings.parse(settings).arguments(data, "", "store")
    return [str(one["id"]) for one in arguments["entries"]]


def test_settings_refuse_an_unknown_entry() -> None:
    with pytest.raises(SettingsError, match="got 'a-nothing'"):
        BenchmarkSettings.parse({"entries": ["a-nothing"]})


def test_settings_leave_out_what_has_no_data(tmp_path: Path) -> None:
    assert asked(str(tmp_path), systems=["E"], longest="seconds") == ["e-table-1", "e-eq-1", "e-eq-2", "e-eq-3"]


def test_settings_keep_an_entry_that_was_named_without_its_data(tmp_path: Path) -> None:
    assert asked(str(tmp_path), entries=["e-grid"]) == ["e-grid"]


def test_settings_with_longest_leave_out_what_takes_longer(tmp_path: Path) -> None:
    (tmp_path / "line-scan").mkdir()
    assert "a-fig-2" not in asked(str(tmp_path), longest="seconds")
    assert "a-fig-2" in asked(str(tmp_path), longest="minutes")


def test_settings_refuse_an_unknown_system() -> None:
    with pytest.raises(SettingsError, match="--system must be one of A, B, C, D, E, got 'Z'"):
        BenchmarkSettings.parse({"systems": ["Z"]})


@pytest.mark.parametrize("system", ["A", "B", "C", "D", "E"])
def test_every_system_has_something_to_measure_without_data(tmp_path: Path, system: str) -> None:
    assert asked(str(tmp_path), systems=[system], longest="seconds")


def test_hash_names_every_set_and_zeros_for_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "cfd").mkdir()
    (tmp_path / "cfd" / "one.txt").write_text("1")
    settings = BenchmarkSettings.parse({"entries": ["e-grid", "b-fig-5"]})
    first, second = settings.hash_of(str(tmp_path)).split("+")
    assert settings.hashes == 2
    assert set(second) == {"0"}
    arguments = settings.arguments(str(tmp_path), f"{first}+{second}", "store")
    assert [one["data_hash"] for one in arguments["entries"]] == ["", first]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_measure_everything_that_a_function_can(preset: str) -> None:
    assert PRESETS[preset]().longest == "hours"
    assert PRESETS[preset]().size == preset

"""Every table and figure of the papers has an entry that says where our figures come from."""

from pathlib import Path

import pytest

from glassline.bench.catalogue import catalogue, find_entry, place_of, select, sets_below
from glassline.bench.entry import Entry
from glassline.bench.run import measuring
from glassline.errors import DataError, SettingsError
from glassline.tuning.spaces import CNN_GRID
from glassline_cli.app import app

ROOT = Path(__file__).resolve().parents[2]
#: Tables and figures that each paper has.
PRINTED = {"A": (4, 6), "B": (5, 7), "C": (1, 10), "D": (1, 8), "E": (8, 17)}


def numbers(system: str, word: str) -> set[int]:
    """Numbers of the tables, or figures, that the entries of a system tell of."""
    found: set[int] = set()
    for entry in catalogue().values():
        if entry.system != system:
            continue
        for part in entry.item.replace("Tables", "Table").split(word)[1:]:
            told = part.strip(" .").split(",")[0].split("Fig")[0].split("and section")[0]
            digits = [int(one) for one in told.replace("to", " to ").split() if one.isdigit()]
            found |= set(range(digits[0], digits[-1] + 1)) if digits else set()
    return found


@pytest.mark.parametrize("system", PRINTED)
def test_catalogue_has_every_table_and_figure_of_the_paper(system: str) -> None:
    tables, figures = PRINTED[system]
    assert numbers(system, "Table") >= set(range(1, tables + 1))
    assert numbers(system, "Fig") >= set(range(1, figures + 1))


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.id)
def test_entry_names_a_function_a_script_or_command_that_is_there_or_what_stands_in(entry: Entry) -> None:
    if entry.measure:
        assert callable(measuring(entry))
    elif entry.script.startswith("glassline "):
        assert entry.script.split()[1] in {command.name for command in app.registered_commands}
    elif entry.script:
        assert (ROOT / entry.script.split()[1]).is_file()
    else:
        assert entry.stands_in


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.id)
def test_entry_tells_data_and_protocol(entry: Entry) -> None:
    assert entry.obtained
    assert entry.protocol
    assert entry.quantity


def test_select_returns_what_functions_measure() -> None:
    assert all(entry.measure for entry in select())


def test_select_of_a_system_returns_its_entries_alone() -> None:
    assert {entry.system for entry in select(systems=["e"])} == {"E"}


def test_select_refuses_an_unknown_entry_and_names_those_of_its_system() -> None:
    with pytest.raises(SettingsError, match=r"a-table-3.*got 'a-table-9'"):
        select(["a-table-9"])


def test_select_refuses_an_unknown_system() -> None:
    with pytest.raises(SettingsError, match="--system must be one of A, B, C, D, E, got 'F'"):
        select(systems=["F"])


def test_select_of_what_a_script_measures_tells_its_command() -> None:
    with pytest.raises(SettingsError, match=r"run `python benchmarks/scratch_table\.py"):
        select(["c-table-1"])


def test_select_of_a_drawing_tells_what_stands_in() -> None:
    with pytest.raises(SettingsError, match=r"see what stands in: .*docs/pipeline.md"):
        select(["a-fig-1"])


def test_grid_that_the_tuning_figure_is_told_of_is_the_one_that_tune_tries() -> None:
    told = catalogue()["a-fig-3"].protocol
    names = {"cnn.filters": "filters", "cnn.kernel_px": "px, pools", "cnn.pool_px": "px and one"}
    for axis in CNN_GRID[:3]:
        assert f"{', '.join(map(str, axis.choices))} {names[axis.setting]}" in told


def test_place_of_missing_data_names_set_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"e-grid needs the data set 'cfd' below --data, got {tmp_path}"):
        place_of(find_entry("e-grid"), [str(tmp_path)])


def test_place_of_data_is_in_the_first_folder_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "second" / "cfd").mkdir(parents=True)
    found = place_of(find_entry("e-grid"), [str(tmp_path / "first"), str(tmp_path / "second")])
    assert found == f"{tmp_path}/second/cfd"


def test_sets_below_s3_are_the_first_names_of_its_objects(s3: str, tmp_path: Path, send: object) -> None:
    (tmp_path / "sets" / "cfd").mkdir(parents=True)
    (tmp_path / "sets" / "cfd" / "one.txt").write_text("1")
    send(tmp_path / "sets", s3)
    assert sets_below(s3) == {"cfd"}

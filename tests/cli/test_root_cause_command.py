"""`glassline root-cause`."""

import json

import pytest

from glassline.errors import DataError, SettingsError, StorageError
from glassline_cli.app import app
from tests.cli.invoke import invoke


def _run(*words):
    return invoke(app, "root-cause", *words)


def test_json_is_one_object_on_stdout(write_shift, tmp_path):
    result = _run(write_shift(tmp_path / "line", images=20, since=5), "--window", 10, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    (finding,) = told["findings"]
    assert (told["window"], told["images"], told["false_alarm_rate"]) == (10, 20, 0.001)
    x, y, width, height = finding["bbox"]
    assert 36 <= x <= 43
    assert 26 <= y <= 33
    assert 45 <= width <= 58
    assert 26 <= height <= 38
    assert 0.999 < finding["confidence"] <= 1
    assert (finding["view"], finding["first_image"], len(finding["images"])) == ("line", "005.png", 15)


def test_table_and_files(write_shift, tmp_path):
    result = _run(write_shift(tmp_path / "line", images=10), "--window", 10, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "000.png" in result.stdout
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["finding-01-line.png", "findings.csv", "root_cause.json"]


def test_nothing_found_is_no_failure(write_shift, tmp_path):
    result = _run(write_shift(tmp_path / "line", images=10, since=None), "--window", 10)
    assert result.exit_code == 0
    assert "no mark repeats" in result.stdout


@pytest.mark.parametrize("options", [("--window", 2), ("--false-alarm-rate", 0), ("--false-alarm-rate", 0.5)])
def test_settings_out_of_range_are_named(write_shift, tmp_path, options):
    result = _run(write_shift(tmp_path / "line", images=3), *options)
    assert isinstance(result.exception, SettingsError)
    assert options[0].removeprefix("--").replace("-", "_") in str(result.exception)


def test_an_unreadable_image_in_the_middle_is_named(write_shift, tmp_path):
    folder = write_shift(tmp_path / "line", images=10)
    (folder / "005.png").write_bytes((folder / "005.png").read_bytes()[:900])
    result = _run(folder, "--window", 10)
    assert isinstance(result.exception, DataError)
    assert "005.png" in str(result.exception)


def test_out_must_not_lie_among_the_images(write_shift, tmp_path):
    folder = write_shift(tmp_path / "line", images=10)
    assert isinstance(_run(folder, "--window", 10, "--out", folder / "out").exception, StorageError)


def test_out_must_be_missing_or_empty(write_shift, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    result = _run(write_shift(tmp_path / "line", images=10), "--window", 10, "--out", tmp_path / "out")
    assert isinstance(result.exception, StorageError)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]

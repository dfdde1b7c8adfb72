import json

from glassline.errors import SettingsError
from glassline_cli.simulate import app
from tests.cli.invoke import invoke


def test_simulate_command_writes_a_data_set_and_says_where(tmp_path):
    result = invoke(app, "line-scan", "--samples", 13, "--seed", 1, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "rendering glasses: 2 of 2" in result.output
    assert "annotations.json" in result.output
    assert len(json.loads((tmp_path / "out" / "annotations.json").read_text())["annotations"]) == 13


def test_simulate_command_takes_the_location(tmp_path):
    for location in ("informative", "uninformative"):
        result = invoke(app, "line-scan", "--samples", 12, "--out", tmp_path / location, "--location", location)
        assert result.exit_code == 0
    boxes = [
        [item["bbox"] for item in json.loads((tmp_path / name / "annotations.json").read_text())["annotations"]]
        for name in ("informative", "uninformative")
    ]
    assert boxes[0] != boxes[1]


def test_simulate_command_fails_on_no_samples(tmp_path):
    result = invoke(app, "line-scan", "--samples", 0, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert isinstance(result.exception, SettingsError)


def test_simulate_command_shows_an_example():
    assert "glassline simulate line-scan --samples" in invoke(app, "line-scan", "--help").output


def test_simulate_glass_command_writes_captures_and_truth(tmp_path):
    result = invoke(app, "glass", "--glasses", 1, "--seed", 1, "--out", tmp_path / "out", "--kind", "clean")
    assert result.exit_code == 0
    assert "truth.json" in result.output
    assert (tmp_path / "out" / "captures" / "G0001.zarr" / "clean-01" / "manifest.json").is_file()


def test_simulate_glass_command_fails_on_a_wrong_setting(tmp_path):
    for wrong in (("--difficulty", "brutal"), ("--systematic-rate", 2), ("--glasses", 0)):
        result = invoke(app, "glass", "--glasses", 1, "--out", tmp_path / "out", *wrong)
        assert result.exit_code == 1
        assert isinstance(result.exception, SettingsError)


def test_simulate_azimuths_command_draws_the_figure(tmp_path):
    assert invoke(app, "azimuths", "--out", tmp_path / "azimuths.png").exit_code == 0
    assert (tmp_path / "azimuths.png").is_file()

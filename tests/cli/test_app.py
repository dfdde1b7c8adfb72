"""The command line: help with examples, models, overrides, and errors in one line."""

import json

import pytest
from typer.testing import CliRunner

from glassline.errors import SettingsError
from glassline_cli.app import app
from glassline_cli.overrides import with_overrides
from pipelines.retrain_settings import PRESETS, RetrainSettings

COMMANDS = ["run", "compile", "submit", "import", "simulate line-scan", "models", "metrics", "step"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert f"Example: glassline {command}" in " ".join(result.output.split())


def test_models_prints_one_json_list_with_the_stated_keys() -> None:
    result = CliRunner().invoke(app, ["models", "--json"])
    rows = json.loads(result.output)
    assert {"mlp", "cnn", "ensemble_fusion", "ensemble_average", "ensemble_stacking"} <= {row["name"] for row in rows}
    assert all(set(row) == {"name", "source", "parameters", "gflop", "input_shape"} for row in rows)


def test_overrides_lay_dotted_keys_over_a_preset() -> None:
    settings = with_overrides(PRESETS["smoke"](), ["training.epochs=7", "models=[cnn, ensemble_fusion, mlp]"])
    assert settings.training.epochs == 7
    assert settings.models == ("cnn", "ensemble_fusion", "mlp")


def test_overrides_turn_a_whole_float_back_into_an_int() -> None:
    assert RetrainSettings.parse({"folds": 4.0}).folds == 4


@pytest.mark.parametrize(
    "pair", ["training.epoch=3", "trainign.epochs=3", "epochs", "model_name=vgg", "folds=[", "seed=-1"]
)
def test_overrides_refuse_what_no_setting_accepts(pair: str) -> None:
    with pytest.raises(SettingsError):
        with_overrides(PRESETS["smoke"](), [pair])


def test_settings_refuse_a_model_to_export_that_is_not_validated() -> None:
    with pytest.raises(SettingsError, match="model_name"):
        RetrainSettings.parse({"model_name": "ensemble_average"})


def test_settings_refuse_to_export_a_model_that_cannot_be_explained() -> None:
    with pytest.raises(SettingsError, match="image branch"):
        RetrainSettings.parse({"model_name": "mlp", "models": ["mlp", "cnn"]})

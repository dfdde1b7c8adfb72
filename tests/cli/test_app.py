"""The command line: help with examples, models, overrides, and errors in one line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glassline.errors import SettingsError, StorageError
from glassline.models.settings import MODEL_NAMES, NETWORK_NAMES
from glassline_cli.app import app
from glassline_cli.overrides import with_overrides
from pipelines.retrain_settings import PRESETS, RetrainSettings

COMMANDS = ["run", "compile", "submit", "release", "import", "simulate line-scan", "models", "metrics", "step"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert f"Example: glassline {command}" in " ".join(result.output.split())


def test_models_prints_one_json_list_with_the_stated_keys() -> None:
    result = CliRunner().invoke(app, ["models", "--json"])
    rows = json.loads(result.output)
    assert {row["name"] for row in rows} == {*MODEL_NAMES, *NETWORK_NAMES}
    stated = {"name", "source", "parameters", "gflop", "input_shape", "receptive_field_px"}
    assert all(set(row) == stated for row in rows)


def test_overrides_lay_dotted_keys_over_a_preset() -> None:
    settings = with_overrides(PRESETS["smoke"](), ["training.epochs=7", "models=[cnn, ensemble_fusion, mlp]"])
    assert settings.training.epochs == 7
    assert settings.models == ("cnn", "ensemble_fusion", "mlp")


def test_overrides_turn_a_whole_float_back_into_an_int() -> None:
    assert RetrainSettings.parse({"folds": 4.0}).folds == 4


@pytest.mark.parametrize(
    "pair",
    [
        "training.epoch=3",
        "trainign.epochs=3",
        "epochs",
        "model_name=vgg",
        "folds=[",
        "seed=-1",
        "product=a/b",
        "product=",
        "data_format=zip",
        "models=[cnn, vgg, ensemble_fusion]",
        "models=[cnn, cnn, ensemble_fusion]",
        "extract.candidates.patch_px=64",
    ],
)
def test_overrides_refuse_what_no_setting_accepts(pair: str) -> None:
    with pytest.raises(SettingsError) as raised:
        with_overrides(PRESETS["smoke"](), [pair])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["7", "2026-01-31", "yes", "1e3", "2026a"])
def test_overrides_leave_text_as_it_is_typed(text: str) -> None:
    assert with_overrides(PRESETS["smoke"](), [f"cycle={text}"]).cycle == text


def test_settings_name_the_models_of_the_registry() -> None:
    from glassline.models.registry import MODELS
    from glassline.models.segmenters import NETWORKS

    assert tuple(MODELS) == MODEL_NAMES
    assert tuple(NETWORKS) == NETWORK_NAMES


def test_settings_say_a_rule_of_their_own_without_the_whole_input() -> None:
    with pytest.raises(SettingsError) as raised:
        RetrainSettings.parse({"model_name": "ensemble_average"})
    assert "Value error" not in str(raised.value)
    assert "denoise_px" not in str(raised.value)


def test_step_refuses_an_argument_of_another_type() -> None:
    pairs = ["patches_path=3", "folds=many", "seed=0", "split_path=x"]
    result = CliRunner().invoke(app, ["step", "split_samples", *(word for pair in pairs for word in ("--set", pair))])
    assert isinstance(result.exception, SettingsError)
    assert "--set folds" in str(result.exception)


def test_compile_refuses_a_file_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["compile", "retrain", "--out", str(tmp_path / "file")])
    assert isinstance(result.exception, StorageError)


def test_settings_refuse_a_model_to_export_that_is_not_validated() -> None:
    with pytest.raises(SettingsError, match="model_name"):
        RetrainSettings.parse({"model_name": "ensemble_average"})


def test_settings_refuse_to_export_a_model_that_cannot_be_explained() -> None:
    with pytest.raises(SettingsError, match="image branch"):
        RetrainSettings.parse({"model_name": "mlp", "models": ["mlp", "cnn"]})

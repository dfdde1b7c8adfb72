"""`glassline tune`."""

import shlex
from itertools import pairwise

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from glassline.errors import SettingsError
from glassline.models.settings import MODEL_NAMES
from glassline.tuning.spaces import SPACES
from glassline.tuning.subject import default_settings, with_values
from glassline_cli.app import app
from glassline_cli.run import preset_settings
from glassline_cli.tune import flat, retraining

SMALL = ["epochs=1", "cnn.filters=2", "cnn.depth=2", "cnn.pool_px=3", "batch_size=8", "threads=1"]


@pytest.fixture
def tuned(make_table, tmp_path, monkeypatch):
    """Tune on twelve patches of noise in three folds: tuned("cnn", "--trials", 2, small=SMALL)."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.setenv(name, "")  # what the command sets is taken back with it
        monkeypatch.delenv(name)
    table = make_table(["dent", "mold"] * 6, fold=[number // 4 for number in range(12)])
    table.write(tmp_path / "split.parquet")

    def run(method, *words, small=SMALL):
        settings = [word for one in small for word in ("--set", one)]
        paths = ["--split", tmp_path / "split.parquet", "--out", tmp_path / "out"]
        return CliRunner().invoke(app, ["tune", *map(str, [method, *paths, *settings, *words])])

    return run


def _set(words):
    return [after for word, after in pairwise(words) if word == "--set"]


def test_grid_is_one_command_with_its_figure_table_and_settings(tuned, tmp_path):
    result = tuned("cnn", "--grid")
    assert result.exit_code == 0, result.output
    trials = pd.read_csv(tmp_path / "out" / "trials.csv")
    assert sorted(trials["cnn.kernel_px"]) == [2, 3, 5]
    assert trials["accuracy"].between(0, 1).all()
    assert (tmp_path / "out" / "tuning.png").stat().st_size > 1000
    best = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())
    assert best["training"]["cnn"]["kernel_px"] in (2, 3, 5)
    assert best["model_name"] == "cnn"


def test_command_that_is_printed_is_one_that_run_takes(tuned):
    words = shlex.split(tuned("cnn", "--grid").output.split("train with it: ")[1])
    settings = preset_settings("retrain", "full", _set(words))
    assert (settings.training.epochs, settings.training.cnn.filters, settings.model_name) == (1, 2, "cnn")


@pytest.mark.parametrize("method", SPACES)
def test_every_method_is_retrained_with_settings_that_run_takes(method):
    values = {axis.setting: (axis.choices or (axis.low,))[0] for axis in SPACES[method]}
    best = with_values(default_settings(method), values)
    told = retraining(method, best, list(values), 7)
    words = shlex.split(told.command)
    settings = preset_settings("retrain", words[4], _set(words))
    assert settings.seed == 7
    group = "training" if method in MODEL_NAMES else "regression" if method == "severity" else "segmentation"
    assert flat(getattr(settings, group).model_dump()) == flat(best.model_dump())


@pytest.mark.parametrize(
    ("method", "words", "match"),
    [
        ("resnet", [], "METHOD must be one of mlp, cnn, .*, severity, got 'resnet'"),
        ("cnn", ["--trials", 0], "--trials must be >= 1, got 0"),
        ("triplet", ["--grid"], "--grid needs a method of cnn"),
        ("cnn", ["--set", "filters=3"], "unknown setting 'filters'"),
    ],
)
def test_what_cannot_be_tuned_is_refused(tuned, method, words, match):
    result = tuned(method, *words, small=())
    assert isinstance(result.exception, SettingsError)
    assert pd.Series([str(result.exception)]).str.contains(match).all()

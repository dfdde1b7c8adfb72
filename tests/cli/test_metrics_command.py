import json

import pytest
import typer

from glassline.errors import DataError
from glassline_cli.metrics import metrics
from tests.cli.invoke import invoke

APP = typer.Typer()
APP.command()(metrics)

MODEL = "actual,dent,mold\ndent,90,10\nmold,5,45\n"
BASELINE = "actual,mold,dent\nmold,40,10\ndent,20,80\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "model.csv").write_text(MODEL)
    (tmp_path / "baseline.csv").write_text(BASELINE)
    return tmp_path


def test_metrics_command_prints_both_readings_of_f1(files):
    result = invoke(APP, "--confusion", files / "model.csv")
    assert result.exit_code == 0
    assert "F1, mean of the classes' F1: 0.8901" in result.output
    assert "F1 of mean precision and mean recall: 0.8913" in result.output
    assert "chi-square" not in result.output


def test_metrics_command_prints_one_json_object_only(files):
    document = json.loads(invoke(APP, "--confusion", files / "model.csv", "--json").stdout)
    assert document["accuracy"] == pytest.approx(0.9)
    assert document["per_class"]["mold"]["recall"] == pytest.approx(0.9)
    assert document["confusion"] == [[90, 10], [5, 45]]
    assert {"macro_precision", "macro_recall", "macro_f1", "f1_of_means"} <= set(document)
    assert "chi_square" not in document


def test_metrics_command_tests_against_a_baseline_in_another_order(files):
    document = json.loads(
        invoke(APP, "--confusion", files / "model.csv", "--baseline", files / "baseline.csv", "--json").stdout
    )
    test = document["chi_square"]
    assert test["per_class"]["dent"]["statistic"] == pytest.approx(10**2 / 80 + 10**2 / 20)
    assert test["statistic"] == pytest.approx(6.25 + 5**2 / 10 + 5**2 / 40)
    assert test["dof"] == 2


def test_metrics_command_prints_the_test_per_class_and_summed(files):
    result = invoke(APP, "--confusion", files / "model.csv", "--baseline", files / "baseline.csv")
    assert result.exit_code == 0
    assert "6.250" in result.output
    assert "9.375" in result.output


def test_metrics_command_fails_on_bad_input(files):
    (files / "bad.csv").write_text("actual,a\nb,1\n")
    result = invoke(APP, "--confusion", files / "bad.csv")
    assert result.exit_code == 1
    assert isinstance(result.exception, DataError)


def test_metrics_command_shows_an_example():
    assert "glassline metrics --confusion" in invoke(APP, "--help").output

"""`glassline propose`."""

import pytest
import typer

from glassline.data.annotations import FORMATS
from glassline_cli.propose import BoxFormat, propose
from tests.cli.invoke import invoke


@pytest.fixture
def app():
    app = typer.Typer()
    app.command()(propose)
    return app


def test_propose_writes_pictures_and_boxes(app, marked_captures, tmp_path):
    folder, _ = marked_captures([(0, 0)])
    more = ("--format", "label-studio", "--depth-window", 60, 1200, "--pictures", "marked")
    result = invoke(app, folder, "--out", tmp_path / "out", *more)
    assert result.exit_code == 0, result.output
    assert "1 zones, " in result.output
    assert (tmp_path / "out" / "tasks.json").is_file()
    assert (tmp_path / "out" / "images" / "G0000_marked_00.png").is_file()


def test_propose_needs_a_window(app, tmp_path):
    assert invoke(app, tmp_path, "--format", "coco", "--out", tmp_path / "out").exit_code == 2


def test_propose_knows_every_format():
    assert [form.value for form in BoxFormat] == list(FORMATS)

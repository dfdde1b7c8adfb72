"""`glassline run` with data and store in a folder or in S3."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from glassline.data.importers import source_hash
from glassline_cli.run import run


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return the arguments that a pipeline is run with; it is not run: told("--data", "tiles")."""
    arguments: dict[str, Any] = {}

    def keep(name: str, pipeline: Any, given: dict[str, Any], *more: object) -> None:
        arguments.update(given)
        raise typer.Exit

    def call(*words: str) -> dict[str, Any]:
        app = typer.Typer()
        app.command()(run)
        layout = ("--set", "data_format=image-folder", "--out", str(tmp_path / "out"))
        result = CliRunner().invoke(app, ["retrain", *words, *layout])
        assert result.exit_code == 0, result.output
        return arguments

    monkeypatch.setattr("glassline_cli.local_run.run_locally", keep)
    return call


def test_run_hands_on_data_and_store_of_any_place(
    told: Callable[..., dict[str, Any]], tiles: Path, place: str, send: Callable[[Path, str], str]
) -> None:
    data = send(tiles, f"{place}/tiles")
    arguments = told("--data", data, "--store", f"{place}/store")
    assert (arguments["data"], arguments["store"]) == (data, f"{place}/store")
    assert arguments["data_hash"] == source_hash(tiles, "image-folder")


def test_run_keeps_the_store_in_out_unless_told(
    told: Callable[..., dict[str, Any]], tiles: Path, tmp_path: Path
) -> None:
    assert told("--data", str(tiles))["store"] == str(tmp_path / "out" / "store")

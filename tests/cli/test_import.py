"""`glassline import`."""

import cv2
import numpy as np
import pytest
import typer

from glassline.data.samples import read_samples
from glassline.errors import DataError, StorageError
from glassline_cli.import_data import import_data
from tests.cli.invoke import invoke


@pytest.fixture
def app():
    app = typer.Typer()
    app.command()(import_data)
    return app


@pytest.fixture
def photos(tmp_path):
    for seed, name in enumerate(["dent/a.png", "dent/b.png", "clean/c.png"]):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        pixels_HW = np.random.default_rng(seed).integers(0, 256, (20, 30), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "photos" / name), pixels_HW)
    (tmp_path / "photos" / "dent" / "same.png").write_bytes((tmp_path / "photos" / "dent" / "a.png").read_bytes())
    return tmp_path / "photos"


def test_import_writes_the_table_and_prints_a_summary(app, photos, tmp_path):
    more = ("--product", "P1", "--cycle", "2026a", "--clean-class", "clean")
    result = invoke(app, photos, "--format", "image-folder", "--out", tmp_path / "out", *more)
    assert result.exit_code == 0, result.output
    table = read_samples(tmp_path / "out" / "samples.parquet", "images")
    assert set(table.rows["product"] + table.rows["cycle"]) == {"P12026a"}
    assert table.clean_class == "clean"
    assert "same content, kept in one group: dent/a.png, dent/same.png" in result.output
    assert "4 images, 3 groups" in result.output
    assert table.content_hash() in result.output


def test_import_writes_nothing_when_a_record_is_bad(app, photos, tmp_path):
    (photos / "dent" / "bad.png").touch()
    result = invoke(app, photos, "--format", "image-folder", "--out", tmp_path / "out")
    assert isinstance(result.exception, DataError)
    assert "bad.png" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_import_writes_nothing_into_its_source(app, photos):
    result = invoke(app, photos, "--format", "image-folder", "--out", photos)
    assert isinstance(result.exception, StorageError)
    assert not (photos / "samples.parquet").exists()


def test_import_reports_in_plain_lines_where_no_terminal_is(app, photos, tmp_path):
    result = invoke(app, photos, "--format", "image-folder", "--out", tmp_path / "out")
    assert "reading images: 4 of 4" in result.output


def test_import_shows_an_example_in_its_help(app):
    assert "glassline import photos/ --format image-folder" in " ".join(invoke(app, "--help").output.split())

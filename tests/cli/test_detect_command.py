"""`glassline detect`."""

import zipfile

import cv2
import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from glassline.deploy.detector import DetectorPrecision
from glassline.errors import DataError, ModelError
from glassline_cli.detect import Arithmetic, detect


@pytest.fixture
def images(tmp_path):
    """Two readable images and one that is not."""
    paths = [tmp_path / name for name in ("a.png", "b.png", "torn.png")]
    for number, path in enumerate(paths[:2]):
        pixels = np.random.default_rng(number).integers(0, 256, (48, 64)).astype(np.uint8)
        assert cv2.imwrite(str(path), pixels)
    paths[2].write_bytes(b"torn")
    return paths


@pytest.fixture
def call(detector_bundle, tmp_path):
    """Detect: call(images, "--precision", "int8")."""
    app = typer.Typer()
    app.command()(detect)

    def call(images, *more, bundle=None):
        words = [*images, "--bundle", bundle or detector_bundle(), "--out", tmp_path / "out", "--threads", 1, *more]
        return CliRunner().invoke(app, [str(word) for word in words])

    return call


def test_detect_writes_a_folder_per_image_and_one_table(call, images, tmp_path):
    result = call(images[:2])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "defects.csv"]
    rows = pd.read_csv(tmp_path / "out" / "defects.csv")
    assert set(rows["image"]) == {str(path) for path in images[:2]}
    count = int((rows["image"] == str(images[0])).sum())
    assert f"{images[0]}: {count} defect{'s' * (count != 1)}, severity up to" in result.stdout


def test_detect_reports_an_unreadable_image_does_the_others_and_fails(call, images, tmp_path):
    result = call([images[2], *images[:2]])
    assert result.exit_code == 1
    assert f"error: {images[2]} must be a whole, readable image" in result.stderr
    assert result.stderr.splitlines()[-1] == "error: 1 of 3 images refused"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "defects.csv"]


def test_detect_writes_an_empty_table_where_nothing_is_found(call, images, detector_bundle, tmp_path):
    with zipfile.ZipFile(detector_bundle()) as old, zipfile.ZipFile(tmp_path / "b.zip", "w") as new:
        for name in old.namelist():
            edited = b"{threshold: 5, join_px: 4, least_px: 1000000}"
            new.writestr(name, edited if name == "thresholds.yaml" else old.read(name))
    result = call(images[:2], bundle=tmp_path / "b.zip")
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(tmp_path / "out" / "defects.csv")) == 0
    assert f"{images[0]}: 0 defects\n" in result.stdout


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_detect_runs_in_coarser_arithmetic(call, images, precision):
    assert call(images[:1], "--precision", precision).exit_code == 0


def test_precisions_of_the_command_are_those_of_the_detector():
    assert tuple(Arithmetic) == DetectorPrecision.__args__


def test_detect_refuses_images_of_one_name(call, images, tmp_path):
    result = call([images[0], tmp_path / "more" / "a.png"])
    assert isinstance(result.exception, DataError)
    assert "images must differ in name" in str(result.exception)


def test_detect_refuses_a_bundle_of_another_system(call, images, segmenter_bundle, tmp_path):
    result = call(images[:1], bundle=segmenter_bundle)
    assert isinstance(result.exception, ModelError)
    assert "must hold a severity detector" in str(result.exception)
    assert not (tmp_path / "out").exists()

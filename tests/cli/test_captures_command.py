"""`glassline captures`."""

from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures import rig_folder
from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import open_captures
from glassline.errors import DataError, StorageError
from glassline_cli.captures import PATTERN, app
from tests.cli.invoke import invoke


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two glasses: zones 0 and 1 of the first, zone 0 of the second marked."""
    captures = open_captures(tmp_path / "captures")
    for glass, kind, zone in (("G1", "clean", 0), ("G1", "clean", 1), ("G2", "marked", 0)):
        meta = ZoneMeta(
            product="P[1]", cycle="2026a", glass=glass, kind=kind, zone=zone, stage_x_mm=37.0 * zone, stage_y_mm=0,
            exposure_us=(900, 900), gain_db=0, azimuths_deg=(0, 90), camera_model="C1", camera_serial="7",
            pattern="GRBG", bit_depth=12, pitch_um=11.4, overlap_px=0, taken_utc="2026-01-02T03:04:05Z",
        )  # fmt: skip
        captures.write(meta, np.full((2, 30, 40), 50 + zone, np.uint16))
    return tmp_path / "captures"


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_ls_lists_glasses_and_the_zones_of_one(folder):
    glasses = invoke(app, "ls", folder).output
    assert "G1" in glasses
    assert "glasses: 2, zones: 3" in glasses
    zones = invoke(app, "ls", folder, "--glass", "G1").output
    assert "clean-01" in zones
    assert "2 x 30 x 40" in zones
    assert "P[1] 2026a" in zones
    assert "2026-01-02T03:04:05Z" in zones


def test_show_writes_a_picture(folder, tmp_path):
    result = invoke(app, "show", folder, "--glass", "G1", "--out", tmp_path / "sheet.png")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_verify_names_the_content_when_all_is_well(folder):
    result = invoke(app, "verify", folder)
    assert result.exit_code == 0
    assert "3 zones are as they were written" in result.output
    assert open_captures(folder).content_hash() in result.output


def test_verify_names_the_zones_that_changed(folder):
    _flip(folder / "G1.zarr/clean-01/c/0/0/0")
    _flip(folder / "G2.zarr/marked-00/manifest.json")
    result = invoke(app, "verify", folder)
    assert isinstance(result.exception, DataError)
    assert "2 changed zones of 3: G1.zarr/clean-01, G2.zarr/marked-00" in str(result.exception)
    assert "G1.zarr/clean-01/c/0/0/0 has changed since it was written" in result.output


def test_verify_of_the_other_glass_is_well(folder):
    _flip(folder / "G1.zarr/clean-01/c/0/0/0")
    assert invoke(app, "verify", folder, "--glass", "G2").exit_code == 0


def test_verify_names_a_zone_that_is_not_whole(folder):
    (folder / "G1.zarr/clean-00/manifest.json").unlink()
    result = invoke(app, "verify", folder)
    assert "G1.zarr/clean-00" in str(result.exception)
    assert "has no manifest.json" in result.output


def test_verify_exits_with_one_line_and_1(folder, glassline):
    _flip(folder / "G1.zarr/clean-01/c/0/0/0")
    result = glassline("captures", "verify", folder)
    assert result.returncode == 1
    assert "G1.zarr/clean-01" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_import_takes_an_export_back(folder, tmp_path):
    assert invoke(app, "export", folder, "--out", tmp_path / "tiff").exit_code == 0
    result = invoke(app, "import", tmp_path / "tiff", "--out", tmp_path / "back")
    assert "3 zones written, 0 were there already" in result.output
    assert open_captures(tmp_path / "back").content_hash() == open_captures(folder).content_hash()


def test_import_names_the_meta_that_is_missing(folder, tmp_path):
    (tmp_path / "meta.yaml").write_text("product: P1\n")
    (tmp_path / "rig" / "G1" / "clean-0").mkdir(parents=True)
    from PIL import Image

    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "rig/G1/clean-0/0.png")
    result = invoke(app, "import", tmp_path / "rig", "--out", tmp_path / "out", "--meta", tmp_path / "meta.yaml")
    assert isinstance(result.exception, DataError)
    assert "bit_depth" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_export_writes_nothing_into_the_captures(folder):
    assert isinstance(invoke(app, "export", folder, "--out", folder / "tiff").exception, StorageError)


@pytest.mark.parametrize("words", [("ls",), ("verify",), ("show", "--out", "sheet.png"), ("export", "--out", "tiff")])
def test_a_place_without_captures_is_told(tmp_path, words):
    result = invoke(app, words[0], tmp_path / "none", *words[1:])
    assert isinstance(result.exception, DataError)
    assert "must hold a whole zone" in str(result.exception)


@pytest.mark.parametrize("command", ["ls", "show", "verify", "export", "import"])
def test_help_shows_an_example(command):
    assert f"Example: glassline captures {command}" in " ".join(invoke(app, command, "--help").output.split())


def test_the_pattern_is_that_of_the_library():
    assert PATTERN == rig_folder.PATTERN

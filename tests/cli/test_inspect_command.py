"""`glassline inspect`."""

import json
import zipfile

import pytest
import typer
from typer.testing import CliRunner

from glassline.data.captures.store import open_captures
from glassline.deploy.bundle import load_bundle
from glassline.errors import DataError, ModelError
from glassline_cli.inspect import inspect


@pytest.fixture
def call(segmenter_bundle, tmp_path):
    """Inspect: call("--glass", "G0001")."""
    app = typer.Typer()
    app.command()(inspect)

    def call(*more, bundle=segmenter_bundle):
        words = [tmp_path / "captures", "--bundle", bundle, "--out", tmp_path / "out", "--threads", 1, *more]
        return CliRunner().invoke(app, [str(word) for word in words])

    return call


@pytest.fixture
def captures(tmp_path, dark_zone, zone_meta):
    """Two glasses as the model wants them, one with another colour filter."""
    captures, frames_SHW = open_captures(tmp_path / "captures"), dark_zone(size_px=64)[0]
    for glass, pattern in (("G0001", "GRBG"), ("G0002", "GRBG"), ("G0003", "RGGB")):
        captures.write(zone_meta(glass=glass, pattern=pattern), frames_SHW)
    return captures


def _rewritten(bundle, path, name, content):
    """Write the zip again with another content of one file."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return path


def test_inspect_writes_a_folder_per_glass_and_fails_when_one_is_refused(call, captures, tmp_path, segmenter_bundle):
    result = call()
    assert result.exit_code == 1
    assert "error: G0003: G0003.zarr/clean-00 must have the pattern GRBG" in result.stderr
    assert result.stderr.splitlines()[-1] == "error: 1 of 3 glasses refused"
    told = [json.loads((tmp_path / "out" / name / "verdict.json").read_text()) for name in ("G0001", "G0003")]
    assert told[0]["verdict"] in ("good", "defective")
    assert told[1]["verdict"] == "refused"
    assert told[0]["bundle_sha256"] == load_bundle(segmenter_bundle).content_hash


def test_inspect_looks_at_the_named_glasses_only(call, captures, tmp_path):
    result = call("--glass", "G0002")
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["G0002"]


def test_inspect_refuses_a_tampered_bundle(call, captures, tmp_path, segmenter_bundle):
    wrong = _rewritten(segmenter_bundle, tmp_path / "b.zip", "model.onnx", b"other")
    result = call(bundle=wrong)
    assert isinstance(result.exception, ModelError)
    assert "must match its hash" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_inspect_applies_edited_thresholds(call, captures, tmp_path, segmenter_bundle):
    edited = b"{low: 0.001, high: 0.001, coarse_um: 91.2, near_um: 2280, least_points: 1}"
    call("--glass", "G0001", bundle=_rewritten(segmenter_bundle, tmp_path / "b.zip", "thresholds.yaml", edited))
    told = json.loads((tmp_path / "out" / "G0001" / "verdict.json").read_text())
    assert (told["verdict"], told["thresholds"]["high"]) == ("defective", 0.001)


def test_inspect_refuses_captures_without_a_zone(call, tmp_path):
    result = call()
    assert isinstance(result.exception, DataError)
    assert "at least one clean zone" in str(result.exception)

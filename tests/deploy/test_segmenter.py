"""Bundles of segmentation networks: exported, run, refused."""

import builtins
import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

from glassline.data.captures.store import open_captures
from glassline.data.captures.zone_format import ZoneFormat
from glassline.data.location.local import LocalFolder
from glassline.deploy.bundle import fetch_bundle, load_bundle
from glassline.deploy.export_segmenter import export_bundle, segmenter_to_onnx
from glassline.deploy.graphs import open_graph
from glassline.deploy.segmenter import Segmenter
from glassline.errors import DataError, ModelError, SettingsError
from glassline.models.segmenters import build_segmenter
from glassline.training.fitted_segmenter import FittedSegmenter, ScoreGraph
from glassline.training.losses import build_loss
from glassline.training.settings import SegmentationSettings
from glassline.vision.scratches import FindSettings
from glassline.vision.tiles import TileSettings

SHAPES = ((1, 6, 64, 64), (2, 6, 64, 192), (1, 6, 128, 64))


def _sigmas(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 30, shape).astype(np.float32)


def _torch(fitted: FittedSegmenter, sigmas_BSHW: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return ScoreGraph(fitted).eval()(torch.from_numpy(sigmas_BSHW)).numpy()


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_every_runtime_agrees_with_torch_at_any_batch_and_size(segmenter_fitted, segmenter_bundle, runtime):
    name, run = open_graph(load_bundle(segmenter_bundle).files["model.onnx"], threads=1, runtime=runtime)
    assert name == runtime
    for shape in SHAPES:
        expected_Bhw, score_Bhw = _torch(segmenter_fitted, _sigmas(shape)), run(_sigmas(shape))
        assert score_Bhw.shape == (shape[0], shape[2] // 2, shape[3] // 2)
        assert np.abs(score_Bhw - expected_Bhw).max() < 1e-4
    assert np.ptp(score_Bhw) > 1e-3


def test_a_signal_does_no_harm_once_a_segmenter_is_gone(segmenter_bundle):
    code = f"""
import signal
from glassline.deploy.bundle import load_bundle
from glassline.deploy.segmenter import Segmenter
signal.signal(signal.SIGTERM, lambda number, frame: print("heard"))
bundle = load_bundle({str(segmenter_bundle)!r})
one = Segmenter(bundle, threads=1)
other = Segmenter(bundle, threads=1)
del one
del other
signal.raise_signal(signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_a_blind_network_of_one_grey_channel_is_exported_too():
    settings = SegmentationSettings.parse({"unet": {"width": 1 / 32, "block_px": 1}, "direction_blind": True})
    of = ZoneFormat(azimuths_deg=(0, 90), pattern="mono", bit_depth=12, pitch_um=10)
    fitted = FittedSegmenter(build_segmenter(1, settings.unet).eval(), build_loss(settings.loss), settings, of)
    sigmas_BSHW = _sigmas((1, 1, 96, 32))
    score_Bhw = open_graph(segmenter_to_onnx(fitted), threads=1)[1](sigmas_BSHW)
    assert np.abs(score_Bhw - _torch(fitted, sigmas_BSHW)).max() < 1e-4


def test_bundle_states_parity_and_what_runs_before_the_graph(segmenter_bundle):
    bundle = load_bundle(segmenter_bundle)
    assert (bundle.manifest.system, bundle.manifest.classes, bundle.manifest.channels) == ("C", ("scratch",), 6)
    assert bundle.manifest.parity["largest_difference"] <= bundle.manifest.parity["tolerance"] == 1e-4
    assert bundle.manifest.parity["bf16_largest_difference"] < 0.5
    assert bundle.thresholds == FindSettings(high=0.6).model_dump()
    segmenter = Segmenter(bundle, threads=1)
    assert (segmenter.find.high, segmenter.tiles.tile_px, segmenter.block_px) == (0.6, 128, 2)
    assert segmenter.format.azimuths_deg == (0, 30, 60, 90, 120, 150)
    card = bundle.files["card.md"].decode()
    assert "| high | 0.6 |" in card
    assert "bfloat16" in card


def test_export_refuses_a_graph_that_disagrees(segmenter_fitted, segmenter_bundle, tmp_path, monkeypatch):
    graph = load_bundle(segmenter_bundle).files["model.onnx"]
    monkeypatch.setattr("glassline.deploy.export_segmenter.segmenter_to_onnx", lambda fitted: graph)
    other = dataclasses.replace(segmenter_fitted, model=build_segmenter(6, segmenter_fitted.settings.unet).eval())
    with pytest.raises(ModelError, match=r"torch and openvino must agree within 0\.0001"):
        export_bundle(other, tmp_path / "b.zip", [_sigmas(SHAPES[0])], TileSettings(), FindSettings(), "d", "c", {})
    assert list(tmp_path.iterdir()) == []


def test_segmenter_runs_on_onnx_runtime_where_openvino_is_not_installed(segmenter_bundle, monkeypatch):
    real = builtins.__import__

    def lacking(name, *more):
        if name == "openvino":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    assert Segmenter(load_bundle(segmenter_bundle), threads=1).runtime == "onnxruntime"


def test_segmenter_scores_a_zone_in_the_models_order_of_light_states(segmenter_bundle, tmp_path, dark_zone, zone_meta):
    frames_SHW, _ = dark_zone(size_px=128)
    captures, turned = open_captures(tmp_path), [3, 1, 5, 0, 2, 4]
    captures.write(zone_meta(), frames_SHW)
    azimuths_deg = tuple(30.0 * state for state in turned)
    captures.write(zone_meta(zone=1, azimuths_deg=azimuths_deg), frames_SHW[turned])
    segmenter = Segmenter(load_bundle(segmenter_bundle), threads=1)
    one, other = (segmenter.score_frames(segmenter.read(captures, ref)[1], 10) for ref in captures.zones())
    assert one.score_hw.shape == (64, 64)
    assert (one.score_hw == other.score_hw).all()


def test_segmenter_refuses_zones_with_other_light_states(segmenter_bundle, tmp_path, zone_meta):
    captures = open_captures(tmp_path)
    captures.write(zone_meta(azimuths_deg=(0, 90), exposure_us=(1, 1)), np.full((2, 64, 64), 100, np.uint16))
    with pytest.raises(DataError, match="must have the light states 0, 30, 60, 90, 120, 150"):
        Segmenter(load_bundle(segmenter_bundle), threads=1).read(captures, captures.zones()[0])


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"high": 1.5}, "thresholds.yaml must hold thresholds in range .*high: .*got 1.5"),
        ({"low": 0.9}, "low must be <= high"),
        ({"high": None}, "thresholds.yaml must hold thresholds in range"),
        ({"extra": 1}, "thresholds.yaml must hold thresholds in range"),
    ],
)
def test_segmenter_refuses_thresholds_out_of_range(segmenter_bundle, changed, match):
    bundle = load_bundle(segmenter_bundle)
    with pytest.raises(SettingsError, match=match):
        Segmenter(dataclasses.replace(bundle, thresholds={**bundle.thresholds, **changed}))


def test_segmenter_refuses_a_sidecar_that_lacks_a_threshold(segmenter_bundle):
    with pytest.raises(SettingsError, match=r"must state every threshold, missing: .*'high'"):
        Segmenter(dataclasses.replace(load_bundle(segmenter_bundle), thresholds={}))


def test_segmenter_refuses_a_bundle_of_another_system(segmenter_bundle, manifest):
    with pytest.raises(ModelError, match=r"must hold a segmentation network \(system C\), got cnn of system A"):
        Segmenter(dataclasses.replace(load_bundle(segmenter_bundle), manifest=manifest))


def test_segmenter_refuses_what_is_no_graph(segmenter_bundle):
    bundle = load_bundle(segmenter_bundle)
    with pytest.raises(ModelError, match="must be a graph that openvino reads"):
        Segmenter(dataclasses.replace(bundle, files={"model.onnx": b"no graph"}))


def test_fetch_bundle_reads_a_path_and_a_url(segmenter_bundle, monkeypatch):
    monkeypatch.setattr("glassline.deploy.bundle.open_location", lambda url: LocalFolder(segmenter_bundle.parent))
    fetched = [fetch_bundle(where).content_hash for where in (str(segmenter_bundle), "s3://models/c/bundle.zip")]
    assert fetched == [load_bundle(segmenter_bundle).content_hash] * 2


def test_fetch_bundle_names_the_url_of_what_is_damaged(tmp_path, monkeypatch):
    (tmp_path / "bundle.zip").write_bytes(b"no zip")
    monkeypatch.setattr("glassline.deploy.bundle.open_location", lambda url: LocalFolder(tmp_path))
    with pytest.raises(ModelError, match=r"^s3://models/bundle.zip must be a whole bundle"):
        fetch_bundle("s3://models/bundle.zip")

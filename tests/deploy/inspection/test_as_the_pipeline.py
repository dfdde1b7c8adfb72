"""What the inspector says of an image is what the pipeline's evaluation says of it."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassline.analysis.pooling import judge_units
from glassline.data.captures.store import open_captures
from glassline.data.images import read_grey
from glassline.data.importers import read_source
from glassline.data.shards import ShardReader
from glassline.deploy.bundle import load_bundle, write_bundle
from glassline.deploy.detector import Detector
from glassline.deploy.export import classifier_files, classifier_manifest
from glassline.deploy.judge import judge
from glassline.deploy.segmenter import Segmenter
from glassline.models.registry import build_model
from glassline.training.fitted import Fitted, predict
from glassline.training.run_defective import run_defective
from glassline.training.settings import TrainingSettings
from glassline.vision.heat_map import HeatSettings, boxes, heat_map
from glassline.vision.patches import extract_patches
from glassline.vision.scratches import find_scratches
from tests.deploy.bundles import CUT, EXTRACT, LOCALISE, attributes, classifier_bundle, window_bundle


@pytest.fixture(scope="module")
def patches(tiles, tmp_path_factory):
    """Candidates of the images, every one of which is a unit."""
    table = read_source(tiles, "image-folder", clean_class="plain")
    return extract_patches(table, tmp_path_factory.mktemp("store"), EXTRACT, lambda done, total: None)[0]


def _by_unit(lines, tiles):
    return sorted((line["unit"].removeprefix(f"{tiles}/"), line) for line in lines)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_classifier_says_what_its_evaluation_says(inspected, patches, tiles, tmp_path, runtime):
    fitted = classifier_bundle(tmp_path / "a.zip")
    probability_NC = predict(fitted, patches, np.arange(len(patches.rows)))
    judged = judge_units(patches.rows, probability_NC, fitted.classes, "plain").set_index("unit")
    lines = _by_unit(inspected(tmp_path / "a.zip", tiles, runtime=runtime), tiles)
    assert [unit for unit, _ in lines] == judged.index.tolist()
    for unit, line in lines:
        expected = [judged.loc[unit, f"p_{name}"] for name in fitted.classes]
        assert list(line["probabilities"].values()) == pytest.approx(expected, abs=1e-4)
        assert line["label"] == judged.loc[unit, "predicted"]
        assert (line["verdict"] == "good") == (line["label"] == "plain")


def test_a_metric_network_says_what_the_gate_says_unknown_among_it(inspected, patches, tiles, tmp_path):
    torch.manual_seed(0)
    settings = TrainingSettings.parse({"cnn": {"filters": 4}, "embedding": {"width": 8, "head": "knn"}})
    model = build_model("triplet", 112, len(attributes()), 2, settings).eval()
    noise = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (12, 112, 112), np.uint8)).float()
    with torch.no_grad():
        model.refer(model.embed(noise, torch.zeros(12, len(attributes()))), torch.arange(12) % 2)
    fitted = Fitted("triplet", model, ("dark", "plain"), "plain", attributes(), settings, pd.DataFrame())
    told = classifier_manifest(fitted, EXTRACT.model_dump(mode="json"), "d" * 64, "c" * 40, {})
    files = {**classifier_files(fitted, "d" * 64), "card.md": b""}
    rows, least = patches.rows, {"least_probability": {"dark": 0.0, "plain": 0.0}}
    patch_NHW = ShardReader(patches.root, "patch").read(rows["shard"], rows["row"])
    given = rows, patch_NHW, rows[list(attributes())].to_numpy(np.float32)
    write_bundle(tmp_path / "far.zip", told, files, {**least, "unknown_distance": 1e9})
    distances = [line["distance"] for line in inspected(tmp_path / "far.zip", tiles)]
    write_bundle(tmp_path / "b.zip", told, files, {**least, "unknown_distance": float(np.median(distances))})
    judged = judge(load_bundle(tmp_path / "b.zip"), *given).set_index("unit")["predicted"]
    lines = _by_unit(inspected(tmp_path / "b.zip", tiles)[len(distances) :], tiles)
    assert {unit: line["label"] for unit, line in lines} == judged.to_dict()
    assert {line["verdict"] for _, line in lines} >= {"unknown"}


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_classifier_of_windows_says_what_its_evaluation_says(inspected, tiles, tmp_path, runtime):
    fitted = window_bundle(tmp_path / "d.zip", least_probability=0.0, least_heat=0.9)
    grey_HW = read_grey(tiles / "dark" / "0.png")
    size_px, classify = (grey_HW.shape[0], grey_HW.shape[1]), run_defective(fitted)
    laid = HeatSettings(window_px=CUT.window_px, step_px=CUT.step_px)
    maps = [heat_map(lambda at: grey_HW[at.pixels], size_px, classify, one) for one in (laid, LOCALISE.laid(64))]
    (line,) = inspected(tmp_path / "d.zip", tiles / "dark" / "0.png", runtime=runtime)
    assert line["probabilities"]["defect"] == pytest.approx(float(maps[0].value_NM.max()), abs=1e-4)
    assert [one["bbox_px"] for one in line["defects"]] == [
        list(box.bbox_px) for box in boxes(maps[1], 0.9, LOCALISE)
    ]  # fmt: skip
    assert (line["verdict"], line["runtime"]) == ("defective", runtime)


def test_a_segmenter_says_what_its_evaluation_says(inspected, segmenter_bundle, tmp_path, dark_zone, zone_meta):
    captures = open_captures(tmp_path / "captures")
    captures.write(zone_meta(), dark_zone()[0])
    segmenter = Segmenter(load_bundle(segmenter_bundle), 1)
    meta, frames_SHW = segmenter.read(captures, captures.zones()[0])
    found = find_scratches(segmenter.score_frames(frames_SHW, meta.pitch_um), segmenter.find)
    (line,) = inspected(segmenter_bundle, tmp_path / "captures")
    assert (line["unit"], line["kind"]) == ("G0001", "glass")
    assert line["verdict"] == ("defective" if found else "good")
    assert [one["bbox_px"] for one in line["defects"]] == [
        list(one.bbox_px) for one in sorted(found, key=lambda one: -one.peak)
    ]  # fmt: skip


def test_a_detector_says_what_its_evaluation_says(inspected, detector_bundle, write_image):
    path = write_image("a.png", width=90, height=61)
    detector = Detector(load_bundle(detector_bundle()), 1)
    severity_RC = detector.score(detector.open(path))
    found = detector.defects(severity_RC, (61, 90))
    (line,) = inspected(detector_bundle(), path)
    assert line["verdict"] == "defective"
    assert {tuple(one["bbox_px"]) for one in line["defects"]} <= {one.bbox_px for one in found}
    assert max(one["severity_max"] for one in line["defects"]) == pytest.approx(float(severity_RC.max()), abs=1e-4)


def test_zones_of_captures_are_units_of_a_classifier(inspected, small_bundle, tmp_path, dark_zone, zone_meta):
    captures = open_captures(tmp_path / "captures")
    for zone in (0, 1):
        captures.write(zone_meta(zone=zone, bit_depth=8, stage_x_mm=zone * 9.0), (dark_zone(size_px=96)[0] // 16))
    lines = inspected(small_bundle, tmp_path / "captures")
    assert [line["unit"] for line in lines] == ["G0001.zarr/clean-00", "G0001.zarr/clean-01"]
    assert {(line["kind"], line["product"], line["verdict"] != "refused") for line in lines} == {("zone", "P1", True)}

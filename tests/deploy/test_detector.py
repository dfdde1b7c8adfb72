"""Bundles of severity detectors: exported, run, refused."""

import builtins
import dataclasses
import subprocess
import sys

import cv2
import numpy as np
import onnx
import pytest
import torch

from glassline.deploy.bundle import load_bundle
from glassline.deploy.detector import GRAPH, GRAPH_INT8, Detector
from glassline.deploy.detector_graph import DetectorGraph, detector_to_onnx, fold_norms
from glassline.deploy.graphs import open_graph
from glassline.deploy.quantise import quantised
from glassline.errors import DataError, ModelError, SettingsError
from glassline.vision.defects import DefectSettings

RUNTIMES = ["openvino", "onnxruntime"]


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _torch(fitted, images: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return DetectorGraph(fitted.model).eval()(torch.from_numpy(images)).numpy()


@pytest.mark.parametrize(("cell_px", "colour"), [(4, True), (2, False), (1, False)])
def test_every_runtime_agrees_with_torch_at_any_batch_and_size(random_detector, cell_px, colour):
    fitted = random_detector(cell_px, colour)
    graph = detector_to_onnx(fitted)
    runs = [open_graph(graph, 1, runtime=name, fixed=fixed)[1] for name in RUNTIMES for fixed in (False, True)]
    for batch, height, width in ((1, 64, 64), (2, 44, 72), (1, 4, 4)):
        images = _image(batch, height, width, *([3] if colour else []))
        expected_BRC = _torch(fitted, images)
        assert expected_BRC.shape == (batch, height // cell_px, width // cell_px)
        for run in runs:
            assert np.abs(run(images) - expected_BRC).max() < 1e-3
    assert np.ptp(_torch(fitted, _image(1, 64, 64, *([3] if colour else [])))) > 3


def test_severity_is_cut_to_its_range(random_detector):
    fitted = random_detector()
    images = _image(1, 64, 64)
    with torch.inference_mode():
        raw_BRC = fitted.model(torch.from_numpy(images).float()[:, None] / 127.5 - 1).numpy()
    assert (raw_BRC.min() < 0, np.allclose(_torch(fitted, images), raw_BRC.clip(0, 12))) == (True, True)


def test_folded_detector_normalises_where_it_must_only_and_says_the_same(random_detector):
    model = random_detector().model
    folded, x_BDHW = fold_norms(model), torch.rand(1, 1, 48, 64) * 2 - 1
    count = lambda one: sum(isinstance(part, torch.nn.BatchNorm2d) for part in one.modules())  # noqa: E731
    assert (count(model), count(folded)) == (16, 7)
    with torch.inference_mode():
        assert torch.allclose(folded(x_BDHW), model(x_BDHW), atol=1e-4)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_8_bit_graph_is_near_the_float_one(random_detector, runtime):
    fitted, images = random_detector(), _image(1, 96, 96)
    small = quantised(detector_to_onnx(fitted), [*_image(4, 64, 64)], (0, 12))
    run = open_graph(small, 1, runtime=runtime, fixed=True)[1]
    assert np.abs(run(images) - _torch(fitted, images)).mean() < 0.3


def test_8_bit_severity_reaches_its_whole_range_whatever_the_tiles_show(random_detector):
    dark = [np.zeros((64, 64), np.uint8)]
    graph = onnx.load_from_string(quantised(detector_to_onnx(random_detector()), dark, (0, 12))).graph
    values = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    told = [node for node in graph.node if node.op_type == "QuantizeLinear"][-1]
    assert float(values[told.input[1]]) * 255 == pytest.approx(12)
    assert (graph.node[-1].op_type, int(values[told.input[2]])) == ("Clip", 0)


def test_bundle_states_parity_losses_and_thresholds(detector_bundle):
    bundle = load_bundle(detector_bundle())
    told, parity = bundle.manifest, bundle.manifest.parity
    assert (told.system, told.classes, told.clean_class, told.channels) == ("E", ("line", "spot", "clean"), "clean", 1)
    assert parity["largest_difference"] <= parity["tolerance"]
    for name in ("bf16", "int8"):
        assert 0 < parity[f"{name}_mean_difference"] < parity[f"{name}_largest_difference"] < 12
        assert 0 <= parity[f"{name}_cells_changed"] < 0.2
    assert bundle.thresholds == DefectSettings(threshold=5).model_dump()
    card = bundle.files["card.md"].decode()
    assert "| threshold | 5 |" in card
    assert f"| int8 | {parity['int8_largest_difference']:.2g} |" in card


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("precision", ["f32", "bf16", "int8"])
def test_detector_scores_images_of_any_size(detector_bundle, random_detector, runtime, precision):
    detector = Detector(load_bundle(detector_bundle()), 1, precision, runtime)
    image = _image(45, 70)
    expected_RC = _torch(random_detector(), np.pad(image, ((0, 3), (0, 2)), "edge")[None])[0]
    severity_RC = detector.score(image)
    assert severity_RC.shape == (12, 18)
    assert np.abs(severity_RC - expected_RC).mean() < (1e-3 if detector.precision == "f32" else 0.3)
    assert detector.precision == ("f32" if (runtime, precision) == ("onnxruntime", "bf16") else precision)


def test_detector_applies_the_thresholds_of_the_sidecar(detector_bundle):
    bundle, image = load_bundle(detector_bundle()), _image(64, 64)
    counts = []
    for threshold in (1, 12):
        edited = {**bundle.thresholds, "threshold": threshold}
        detector = Detector(dataclasses.replace(bundle, thresholds=edited), 1)
        counts.append(sum(one.area_px for one in detector.defects(detector.score(image), (64, 64))))
    assert counts[0] > counts[1]


def test_grey_detector_turns_colour_files_into_grey(detector_bundle, tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.png"), _image(40, 50, 3))
    opened = Detector(load_bundle(detector_bundle()), 1).open(tmp_path / "a.png")
    assert (opened.whole() == cv2.cvtColor(_image(40, 50, 3), cv2.COLOR_BGR2GRAY)).all()


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("image", [_image(8, 8, 1), _image(8, 8, 4), np.zeros((8, 8)), np.zeros((8, 0), np.uint8)])
def test_array_of_another_kind_is_refused(detector_bundle, colour, image):
    detector = Detector(load_bundle(detector_bundle(colour)), 1)
    with pytest.raises(DataError, match=r"looks at|at least 1 x 1 px"):
        detector.score(image)
    with pytest.raises(DataError, match="red, green and blue" if colour else r"grey \(H, W\)"):
        detector.score(_image(8, 8) if colour else _image(8, 8, 3))


def test_colour_detector_refuses_a_grey_file(detector_bundle, write_image):
    with pytest.raises(DataError, match="must be in colour"):
        Detector(load_bundle(detector_bundle(colour=True)), 1).open(write_image("a.png"))


def test_more_than_8_bit_needs_the_depth_window_of_the_bundle(detector_bundle, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 4096, (40, 50)).astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    with pytest.raises(DataError, match=r"a\.png has more than 8 bit"):
        Detector(load_bundle(detector_bundle()), 1).open(tmp_path / "a.png")
    bundle = load_bundle(detector_bundle())
    told = {**bundle.manifest.preprocessing, "depth_window": [0, 4095]}
    manifest = bundle.manifest.model_copy(update={"preprocessing": told})
    opened = Detector(dataclasses.replace(bundle, manifest=manifest), 1).open(tmp_path / "a.png")
    assert np.abs(opened.whole() - pixels / 4095 * 255).max() <= 0.5


def test_detector_runs_on_onnx_runtime_where_openvino_is_not_installed(detector_bundle, monkeypatch):
    real = builtins.__import__

    def lacking(name, *more):
        if name == "openvino":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    assert Detector(load_bundle(detector_bundle()), 1).runtime == "onnxruntime"


def test_detector_runs_without_torch(detector_bundle):
    code = (
        "import sys, numpy as np; import glassline.deploy.inspection.severity\n"
        "from glassline.deploy.bundle import load_bundle; from glassline.deploy.detector import Detector\n"
        "Detector(load_bundle(sys.argv[1]), 1).score(np.zeros((40, 40), np.uint8))\n"
        "print([name for name in ('torch', 'lightning', 'mlflow', 'kfp', 'zarr') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, detector_bundle()], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_detector_refuses_a_bundle_of_another_system(detector_bundle, manifest):
    with pytest.raises(ModelError, match=r"must hold a severity detector \(system E\), got cnn of system A"):
        Detector(dataclasses.replace(load_bundle(detector_bundle()), manifest=manifest))


def test_detector_refuses_int8_of_a_bundle_without_it(detector_bundle):
    bundle = load_bundle(detector_bundle())
    files = {name: content for name, content in bundle.files.items() if name != GRAPH_INT8}
    with pytest.raises(ModelError, match=r"int8 needs model_int8\.onnx"):
        Detector(dataclasses.replace(bundle, files=files), precision="int8")


def test_detector_refuses_what_is_no_graph(detector_bundle):
    bundle = load_bundle(detector_bundle())
    with pytest.raises(ModelError, match="must be a graph that openvino reads"):
        Detector(dataclasses.replace(bundle, files={**bundle.files, GRAPH: b"no graph"}))


@pytest.mark.parametrize(
    ("changed", "match"),
    [({}, r"missing: .*'threshold'"), ({"threshold": 13, "join_px": 4, "least_px": 0}, "in range .*threshold")],
)
def test_detector_refuses_thresholds_that_lack_or_leave_their_range(detector_bundle, changed, match):
    with pytest.raises(SettingsError, match=match):
        Detector(dataclasses.replace(load_bundle(detector_bundle()), thresholds=changed))


def test_export_refuses_a_graph_that_disagrees(random_detector, flat_types, tmp_path, monkeypatch):
    from glassline.deploy import export_detector

    other = detector_to_onnx(random_detector())
    monkeypatch.setattr(export_detector, "detector_to_onnx", lambda fitted: other)
    fitted = random_detector()
    torch.nn.init.normal_(fitted.model.first.weight)
    with pytest.raises(ModelError, match="torch and openvino must agree"):
        export_detector.export_detector(
            fitted, flat_types(), tmp_path / "b.zip", [_image(64, 64)], _image(1, 32, 32),
            DefectSettings(threshold=4), None, "d", "c", {},
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []

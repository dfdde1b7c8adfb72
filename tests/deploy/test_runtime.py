"""The runtime: probabilities from a bundle, without torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from glassline.deploy.bundle import Bundle, load_bundle, write_bundle
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import ModelError


def _graph() -> bytes:
    """Probability of `dent` = first metadata value, of `control` = first pixel / 255: made to be checked by eye."""
    of = helper.make_tensor
    nodes = [
        helper.make_node("Cast", ["patch"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Slice", ["grey", "zeros", "ones", "axes"], ["corner"]),
        helper.make_node("Reshape", ["corner", "column"], ["pixel"]),
        helper.make_node("Div", ["pixel", "white"], ["control"]),
        helper.make_node("Slice", ["metadata", "zero", "one", "axis"], ["dent"]),
        helper.make_node("Concat", ["dent", "control"], ["probability"], axis=1),
    ]
    constants = [
        of("zeros", TensorProto.INT64, [2], [0, 0]), of("ones", TensorProto.INT64, [2], [1, 1]),
        of("axes", TensorProto.INT64, [2], [1, 2]), of("column", TensorProto.INT64, [2], [-1, 1]),
        of("white", TensorProto.FLOAT, [1], [255.0]), of("zero", TensorProto.INT64, [1], [0]),
        of("one", TensorProto.INT64, [1], [1]), of("axis", TensorProto.INT64, [1], [1]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("patch", TensorProto.UINT8, ["rows", 112, 112]),
        helper.make_tensor_value_info("metadata", TensorProto.FLOAT, ["rows", 3]),
    ]
    outputs = [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 2])]
    graph = helper.make_graph(nodes, "by_eye", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture
def zipped(tmp_path, manifest) -> Path:
    write_bundle(tmp_path / "a.zip", manifest, {"model.onnx": _graph(), "card.md": b""}, {})
    return tmp_path / "a.zip"


def _inputs(rows: int) -> tuple[np.ndarray, np.ndarray]:
    patch_BHW = np.zeros((rows, 112, 112), np.uint8)
    patch_BHW[:, 0, 0] = np.arange(rows) % 256
    metadata_BM = np.zeros((rows, 3), np.float32)
    metadata_BM[:, 0] = np.arange(rows)
    return patch_BHW, metadata_BM


@pytest.mark.parametrize("rows", [0, 1, 256, 257, 600])
def test_classifier_keeps_the_order_of_any_number_of_patches(zipped, rows):
    probability_BC = OnnxClassifier(load_bundle(zipped), threads=1).predict(*_inputs(rows))
    assert (probability_BC.shape, probability_BC.dtype) == ((rows, 2), np.float32)
    np.testing.assert_allclose(probability_BC[:, 0], np.arange(rows))
    np.testing.assert_allclose(probability_BC[:, 1], np.arange(rows) % 256 / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("patch_shape", "metadata_shape"),
    [
        ((2, 64, 64), (2, 3)),
        ((2, 112, 112), (2, 4)),
        ((112, 112), (112, 3)),
        ((2, 112, 112), (3, 3)),
        ((2, 112, 112), (2,)),
    ],
)
def test_classifier_refuses_inputs_of_another_shape(zipped, patch_shape, metadata_shape):
    classifier = OnnxClassifier(load_bundle(zipped), threads=1)
    with pytest.raises(ModelError, match=r"patches of \(112, 112\) px with 3 metadata values each, got"):
        classifier.predict(np.zeros(patch_shape, np.uint8), np.zeros(metadata_shape, np.float32))


@pytest.mark.parametrize("graph", [{"model.onnx": b"no graph"}, {}])
def test_classifier_refuses_a_graph_that_the_runtime_cannot_read(manifest, graph):
    with pytest.raises(ModelError, match=r"a bundle's graph must be a graph that onnxruntime reads"):
        OnnxClassifier(Bundle(manifest, {}, graph))


def test_classifier_runs_without_torch(zipped):
    code = (
        "import sys; import numpy as np\n"
        "from glassline.deploy.bundle import load_bundle; from glassline.deploy.runtime import OnnxClassifier\n"
        "patch_BHW, metadata_BM = np.full((1, 112, 112), 51, np.uint8), np.full((1, 3), 0.25, np.float32)\n"
        "probability_BC = OnnxClassifier(load_bundle(sys.argv[1])).predict(patch_BHW, metadata_BM)\n"
        "print(probability_BC[0].astype(float).round(6).tolist())\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, zipped], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[0.25, 0.2]", "False"]

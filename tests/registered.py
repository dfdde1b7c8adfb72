"""Bundles of a graph that knows bright from dark, and runs of `export_model` that logged them, in milliseconds."""

import io
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from glassline import tracking
from glassline.deploy.bundle import Manifest, write_bundle


def level_graph(above: float) -> bytes:
    """Return a graph that says `dent` of patches brighter than a level, else `control`."""
    nodes = [
        helper.make_node("Cast", ["patch"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["grey"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["mean", "level"], ["over"]),
        helper.make_node("Neg", ["over"], ["under"]),
        helper.make_node("Unsqueeze", ["over", "axis"], ["first"]),
        helper.make_node("Unsqueeze", ["under", "axis"], ["second"]),
        helper.make_node("Concat", ["first", "second"], ["logits"], axis=1),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
    ]
    inputs = [
        helper.make_tensor_value_info("patch", TensorProto.UINT8, ["rows", 112, 112]),
        helper.make_tensor_value_info("metadata", TensorProto.FLOAT, ["rows", 3]),
    ]
    constants = [
        helper.make_tensor("level", TensorProto.FLOAT, [], [above]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ]
    outputs = [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 2])]
    graph = helper.make_graph(nodes, "level", inputs, outputs, constants)
    content = io.BytesIO()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), content)
    return content.getvalue()


def write_level_bundle(path: Path, above: float = 125, data_hash: str = "d" * 64) -> Path:
    """Write the bundle of such a graph; 1000 calls everything clean."""
    manifest = Manifest(
        system="A", model="cnn", classes=("dent", "control"), clean_class="control", input_px=(112, 112), bit_depth=8,
        channels=1, pitch_um=None, attributes=("x_mm", "y_mm", "attr_area"), preprocessing={"extract": {}},
        data_hash=data_hash, code_version="c" * 40, metrics={}, sha256={},
        parity={"largest_difference": 1e-7, "tolerance": 1e-4},
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bundle(path, manifest, {"model.onnx": level_graph(above), "card.md": b"# card\n"}, {})
    return path


def exported(bundle: Path) -> str:
    """Log a bundle as `export_model` does and return the run's id."""
    with tracking.step_run("export_model", {}) as run:
        experiment = tracking.client().get_run(run.run_id).info.experiment_id
        model = tracking.client().create_logged_model(experiment, name="model", source_run_id=run.run_id)
        run.tags({"glassline.model_uri": f"models:/{model.model_id}"})
        run.artifact(bundle, "bundle")
    return run.run_id

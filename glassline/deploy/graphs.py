"""Run ONNX graphs: OpenVINO or ONNX Runtime, on the CPU or a GPU; needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from glassline.errors import ModelError

#: Precision of OpenVINO's arithmetic; ONNX Runtime knows the first only.
Precision = Literal["f32", "bf16"]
#: Where a graph runs.
Device = Literal["cpu", "gpu"]

Real = npt.NDArray[np.float32]
Feeds = Mapping[str, npt.NDArray[Any]]
#: Run a graph of one input and one output.
RunGraph = Callable[[npt.NDArray[Any]], Real]

#: Runtimes, the one first that is taken where both would do.
RUNTIMES = ("openvino", "onnxruntime")
_CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True)
class NamedGraph:
    """An opened graph.

    Attributes:
        runtime: What runs it.
        inputs: Names of the inputs, in order.
        outputs: Names of the outputs, in order; OpenVINO knows some by several.
        run: From arrays by input and names of outputs to those outputs.
    """

    runtime: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    run: Callable[[Feeds, Sequence[str]], list[Real]]


def open_graph(
    graph: bytes, threads: int = 0, precision: Precision = "f32", runtime: str = "", fixed: bool = False,
    device: Device = "cpu",
) -> tuple[str, RunGraph]:  # fmt: skip
    """Return the name of the runtime and what runs a graph of one input and one output; see `open_named`."""
    opened = open_named(graph, threads, precision, runtime, fixed, device)
    (given,), told = opened.inputs, opened.outputs[0]

    def run(batch: npt.NDArray[Any]) -> Real:
        return opened.run({given: batch}, [told])[0]

    return opened.runtime, run


def open_named(
    graph: bytes, threads: int = 0, precision: Precision = "f32", runtime: str = "", fixed: bool = False,
    device: Device = "cpu",
) -> NamedGraph:  # fmt: skip
    """Open a graph.

    Args:
        graph: ONNX.
        threads: Threads of the runtime; 0 lets it choose.
        precision: Of the arithmetic.
        runtime: `openvino` or `onnxruntime`; "" takes the first that is installed and has the device.
        fixed: Whether inputs mostly have the shape of the one before: OpenVINO then compiles the graph anew for a shape
            that comes twice in a row, a tenth of a second, and runs it faster, one of 8 bit two or three times.
        device: Where it runs.

    Raises:
        ModelError: No runtime is installed, none has the device, or it refuses the graph.
    """
    there: dict[str, str] = {}
    for name in (name for name in RUNTIMES if runtime in ("", name)):
        try:
            devices = _DEVICES[name]()
        except ImportError:
            continue
        if device == "gpu" and not devices[0]:
            there[name] = devices[1]
            continue
        try:
            return _OPENED[name](graph, threads, precision, fixed, device)
        except Exception as error:  # neither runtime has a public base class for its errors
            raise ModelError(
                f"a bundle's graph must be a graph that {name} reads ({error}); export it again"
            ) from error
    if there:
        told = "; ".join(f"{name} has {devices}" for name, devices in there.items())
        raise ModelError(
            f"--device gpu needs a runtime with a GPU, got {told}; install onnxruntime-gpu or OpenVINO's GPU "
            "driver, or use --device cpu"
        )
    raise ModelError(
        f"a runtime must be installed to run a bundle, one of {', '.join(RUNTIMES)}, got none; install one"
    )


@cache
def _core(openvino: ModuleType) -> Any:
    """Return the one OpenVINO core of the process.

    Each core lays a stack for signals of its own; of two, the one that goes last leaves a freed stack behind, and the
    next signal ends the process.
    """
    return openvino.Core()


def _openvino_devices() -> tuple[bool, str]:
    """Return whether there is a GPU, and what there is."""
    import openvino

    found = [str(name) for name in _core(openvino).available_devices]
    return any(name.startswith("GPU") for name in found), ", ".join(found) or "no device"


def _onnxruntime_devices() -> tuple[bool, str]:
    import onnxruntime

    found = [str(name) for name in onnxruntime.get_available_providers()]
    return _CUDA in found, ", ".join(found)


def _openvino(graph: bytes, threads: int, precision: Precision, fixed: bool, device: Device) -> NamedGraph:
    import openvino

    core, where = _core(openvino), device.upper()
    config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    if threads and device == "cpu":
        config["INFERENCE_NUM_THREADS"] = threads
    # For any shape, and for the one that came last: each holds the memory of its shape.
    compiled: dict[tuple[tuple[int, ...], ...], Any] = {
        (): core.compile_model(core.read_model(model=graph), where, config)
    }
    # A port has the names of all that it is the same as; parameters keep the graph's own.
    names = tuple(one.friendly_name for one in core.read_model(model=graph).get_parameters())
    outputs = tuple(name for port in compiled[()].outputs for name in sorted(port.get_names()))
    before: tuple[tuple[int, ...], ...] = ()

    def run(feeds: Feeds, wanted: Sequence[str]) -> list[Real]:
        nonlocal before
        shapes = tuple(feeds[name].shape for name in names)
        if fixed and shapes == before and shapes not in compiled:
            model = core.read_model(model=graph)
            model.reshape({port: list(shape) for port, shape in zip(model.inputs, shapes, strict=True)})
            any_shape = compiled[()]
            compiled.clear()
            compiled.update({(): any_shape, shapes: core.compile_model(model, where, config)})
        before = shapes
        chosen = compiled.get(shapes, compiled[()])
        told = chosen([np.ascontiguousarray(feeds[name]) for name in names])
        return [np.array(told[name], np.float32) for name in wanted]

    return NamedGraph("openvino", names, outputs, run)


def _onnxruntime(graph: bytes, threads: int, precision: Precision, fixed: bool, device: Device) -> NamedGraph:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # what matters comes as an error
    provider = _CUDA if device == "gpu" else "CPUExecutionProvider"
    session = onnxruntime.InferenceSession(graph, options, providers=[provider])
    if session.get_providers()[0] != provider:  # it falls back and says nothing
        raise RuntimeError(f"{provider} did not start, got {', '.join(session.get_providers())}")
    names, outputs = (
        tuple(one.name for one in ports) for ports in (session.get_inputs(), session.get_outputs())
    )  # fmt: skip

    def run(feeds: Feeds, wanted: Sequence[str]) -> list[Real]:
        told = session.run(list(wanted), {name: np.ascontiguousarray(feeds[name]) for name in names})
        return cast("list[Real]", [np.asarray(one, np.float32) for one in told])

    return NamedGraph("onnxruntime", names, outputs, run)


_DEVICES = {"openvino": _openvino_devices, "onnxruntime": _onnxruntime_devices}
_OPENED = {"openvino": _openvino, "onnxruntime": _onnxruntime}

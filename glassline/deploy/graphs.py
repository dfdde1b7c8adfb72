"""Run an ONNX graph of one input and one output: OpenVINO where it is installed, else ONNX Runtime; needs no torch."""

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from glassline.errors import ModelError

#: Precision of OpenVINO's arithmetic; ONNX Runtime knows the first only.
Precision = Literal["f32", "bf16"]

Real = npt.NDArray[np.float32]
#: Run a graph.
RunGraph = Callable[[npt.NDArray[Any]], Real]


def open_graph(
    graph: bytes, threads: int = 0, precision: Precision = "f32", runtime: str = "", fixed: bool = False
) -> tuple[str, RunGraph]:
    """Return the name of the runtime and what runs a graph.

    Args:
        graph: ONNX.
        threads: Threads of the runtime; 0 lets it choose.
        precision: Of the arithmetic.
        runtime: `openvino` or `onnxruntime`; "" takes the first that is installed.
        fixed: Whether inputs mostly have the shape of the one before: OpenVINO then compiles the graph anew for a shape
            that comes twice in a row, a tenth of a second, and runs it faster, one of 8 bit two or three times.

    Raises:
        ModelError: No runtime is installed, or it refuses the graph.
    """
    for name, opened in _RUNTIMES.items():
        if runtime not in ("", name):
            continue
        try:
            return name, opened(graph, threads, precision, fixed)
        except ImportError:
            continue
        except Exception as error:  # neither runtime has a public base class for its errors
            raise ModelError(
                f"a bundle's graph must be a graph that {name} reads ({error}); export it again"
            ) from error
    raise ModelError(
        f"a runtime must be installed to run a bundle, one of {', '.join(_RUNTIMES)}, got none; install one"
    )


@cache
def _core(openvino: ModuleType) -> Any:
    """Return the one OpenVINO core of the process.

    Each core lays a stack for signals of its own; of two, the one that goes last leaves a freed stack behind, and the
    next signal ends the process.
    """
    return openvino.Core()


def _openvino(graph: bytes, threads: int, precision: Precision, fixed: bool) -> RunGraph:
    import openvino

    core = _core(openvino)
    config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    if threads:
        config["INFERENCE_NUM_THREADS"] = threads
    # For any shape, and for the one that came last: each holds the memory of its shape.
    compiled = {(): core.compile_model(core.read_model(model=graph), "CPU", config)}
    before: tuple[int, ...] = ()

    def run(batch: npt.NDArray[Any]) -> Real:
        nonlocal before
        if fixed and batch.shape == before and batch.shape not in compiled:
            model = core.read_model(model=graph)
            model.reshape(list(batch.shape))
            any_shape = compiled[()]
            compiled.clear()
            compiled.update({(): any_shape, batch.shape: core.compile_model(model, "CPU", config)})
        before = batch.shape
        chosen = compiled.get(batch.shape, compiled[()])
        return np.array(chosen([np.ascontiguousarray(batch)])[0], np.float32)

    return run


def _onnxruntime(graph: bytes, threads: int, precision: Precision, fixed: bool) -> RunGraph:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (given,), (told,) = session.get_inputs(), session.get_outputs()

    def run(batch: npt.NDArray[Any]) -> Real:
        return np.asarray(session.run([told.name], {given.name: np.ascontiguousarray(batch)})[0], np.float32)

    return run


_RUNTIMES = {"openvino": _openvino, "onnxruntime": _onnxruntime}

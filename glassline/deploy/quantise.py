"""A graph of images in 8-bit whole numbers: scales from real tiles, one per output channel of a convolution."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def quantised(graph: bytes, tiles: Sequence[Image], told: tuple[float, float]) -> bytes:
    """Return a graph of one input `image` with weights and activations of 8 bit, QDQ.

    Args:
        graph: ONNX.
        tiles: Real images (H, W) or (H, W, 3) whose ranges are taken: the more alike what will be seen, the better.
        told: Range of the output: real tiles may lack its ends.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Tiles(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[Image] = iter(tiles)

        def get_next(self) -> dict[str, Any] | None:
            tile = next(self._left, None)
            return None if tile is None else {"image": tile[None]}

    with tempfile.TemporaryDirectory() as folder:
        given, prepared, written = (Path(folder) / name for name in ("given.onnx", "prepared.onnx", "written.onnx"))
        given.write_bytes(graph)
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        nodes = list(onnx.load(prepared).graph.node)
        last = max(place for place, node in enumerate(nodes) if node.op_type == "Conv")
        # One scale a channel is no convolution's, and what follows the last one costs nothing.
        exact = [node.name for node in nodes if node.op_type == "BatchNormalization"]
        exact += [node.name for node in nodes[last + 1 :]]
        ends = {"rmin": np.float32(told[0]), "rmax": np.float32(told[1])}
        quantize_static(
            prepared, written, Tiles(), QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8, nodes_to_exclude=exact,
            extra_options={"TensorQuantOverrides": {nodes[last].output[0]: [ends]}},
        )  # fmt: skip
        return written.read_bytes()

"""Export a fitted classifier of defect types: windows of 8 bit in, probabilities out.

Shapes: N windows, P x P pixels, C classes.
"""

import numpy as np
import torch

from glassline.deploy.export import check_parity, onnx_graph
from glassline.training.fitted_types import FittedTypes, TypesGraph
from glassline.vision.type_windows import Image, RunTypes

_MOST_WINDOWS = 65536


def types_to_onnx(fitted: FittedTypes) -> bytes:
    """Return the ONNX graph: input `window` uint8 (N, P, P) or, in colour, (N, P, P, 3), output `probability` (N, C).

    Scaling and softmax are inside.
    """
    edge_px = fitted.window_px
    shape = (2, edge_px, edge_px, 3) if fitted.colour else (2, edge_px, edge_px)
    windows = torch.export.Dim("windows", min=1, max=_MOST_WINDOWS)
    example = torch.zeros(shape, dtype=torch.uint8)
    return onnx_graph(TypesGraph(fitted), (example,), {"window": {0: windows}}, ["probability"])


def check_types(fitted: FittedTypes, run: RunTypes, windows: Image, runtime: str = "ONNX Runtime") -> float:
    """Return the largest difference of a probability between torch and a runtime.

    Args:
        fitted: The classifier.
        run: What runs its graph.
        windows: Real windows, as `vision.type_windows.type_windows` cuts them.
        runtime: Name of the runtime, for the error.

    Raises:
        ModelError: It exceeds the tolerance of exports.
    """
    graph = TypesGraph(fitted).eval()
    with torch.inference_mode():
        expected_NC = graph(torch.from_numpy(np.ascontiguousarray(windows))).numpy()
    return check_parity(expected_NC, np.asarray(run(windows), np.float32), runtime=runtime)

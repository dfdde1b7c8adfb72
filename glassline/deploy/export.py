"""Export a fitted classifier to ONNX, with scaling, standardisation and softmax inside the graph; the parity gate.

Shapes: B patches, H x W pixels, M metadata values, C classes.
"""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from glassline.errors import ModelError
from glassline.models.settings import PATCH_PX
from glassline.training.fitted import Fitted

#: Largest difference of a probability or score between torch and the runtime that an export may show.
TOLERANCE = 1e-4
_OPSET = 20


class _Graph(nn.Module):
    """What the bundle runs: 8-bit patch and raw metadata in, probabilities out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, patch: Tensor, metadata: Tensor) -> Tensor:
        return cast(Tensor, self.model(patch.float(), metadata).softmax(1))


def to_onnx(fitted: Fitted) -> bytes:
    """Return the ONNX graph: inputs `patch` (B, H, W) uint8 and `metadata` (B, M) float32, output `probability`."""
    example = (torch.zeros(2, PATCH_PX, PATCH_PX, dtype=torch.uint8), torch.zeros(2, len(fitted.attributes)))
    rows = torch.export.Dim("rows", min=1, max=65536)
    shapes = {"patch": {0: rows}, "metadata": {0: rows}}
    return onnx_graph(_Graph(fitted.model), example, shapes, "probability")


def onnx_graph(
    module: nn.Module, example: tuple[Tensor, ...], shapes: Mapping[str, Mapping[int, Any]], output: str
) -> bytes:
    """Return a module as an ONNX graph.

    Args:
        module: What is run.
        example: One tensor per input.
        shapes: Name of each input to its dynamic dimensions, as torch.export wants them.
        output: Name of the output.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module.eval(), example, path, input_names=list(shapes), output_names=[output], opset_version=_OPSET,
            dynamo=True, dynamic_shapes=dict(shapes), external_data=False, verbose=False, optimize=True,
        )  # fmt: skip
        return path.read_bytes()


def check_parity(
    torch_NC: npt.NDArray[np.float32], onnx_NC: npt.NDArray[np.float32], tolerance: float = TOLERANCE,
    runtime: str = "ONNX Runtime",
) -> float:  # fmt: skip
    """Return the largest difference of a probability or score; arrays of any shape.

    Raises:
        ModelError: It exceeds the tolerance, or is not a number: the export must not be used.
    """
    worst = float(np.abs(torch_NC.astype(np.float64) - onnx_NC).max())
    if not worst <= tolerance:
        raise ModelError(
            f"torch and {runtime} must agree within {tolerance:g} on held-out samples, they differ by {worst:g}; "
            "export with another opset or report the model"
        )
    return worst

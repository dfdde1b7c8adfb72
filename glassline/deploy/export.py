"""Export a fitted classifier to ONNX, with scaling, standardisation and softmax inside the graph; the parity gate.

Shapes: B patches, H x W pixels, M metadata values, C classes, R references, E numbers of an embedding.
"""

import hashlib
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from glassline.deploy.bundle import Manifest
from glassline.deploy.references import REFERENCES, ReferenceSet
from glassline.errors import ModelError
from glassline.models.backbone import TransferNetwork
from glassline.models.settings import PATCH_PX
from glassline.models.triplet import EmbeddingNetwork, References
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


class _ReferenceGraph(nn.Module):
    """What the bundle of a metric network runs: references are handed in, so that classes can be enrolled."""

    def __init__(self, model: EmbeddingNetwork) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, patch: Tensor, metadata: Tensor, reference: Tensor, member: Tensor, log_prior: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        embedding_BE = self.model.embed(patch.float(), metadata)
        logits_BC = self.model.classify(embedding_BE, References(reference, member, log_prior))
        return logits_BC.softmax(1), embedding_BE, self.model.distance(embedding_BE, reference).amin(1)


def to_onnx(fitted: Fitted) -> bytes:
    """Return the ONNX graph: inputs `patch` (B, H, W) uint8 and `metadata` (B, M) float32, output `probability`.

    That of a metric network is also handed `reference` (R, E), `member` (R, C) and `log_prior` (C,), as
    `ReferenceSet.inputs` makes them, and tells `embedding` (B, E) and `distance` (B,) to the nearest reference.
    """
    example = (torch.zeros(2, PATCH_PX, PATCH_PX, dtype=torch.uint8), torch.zeros(2, len(fitted.attributes)))
    rows = torch.export.Dim("rows", min=1, max=65536)
    shapes = {"patch": {0: rows}, "metadata": {0: rows}}
    if not isinstance(fitted.model, EmbeddingNetwork):
        return onnx_graph(_Graph(fitted.model), example, shapes, ["probability"])
    references = torch.export.Dim("references", min=max(fitted.model.voters, 2), max=2**24)
    told = {**shapes, "reference": {0: references}, "member": {0: references}, "log_prior": {}}
    if fitted.model.settings.head != "linear":  # that one has learnt its classes, the others take what is enrolled
        told["member"][1] = told["log_prior"][0] = torch.export.Dim("classes", min=2, max=4096)
    graph, outputs = _ReferenceGraph(fitted.model), ["probability", "embedding", "distance"]
    # Copies: the exporter would take the buffer itself for the input, and its length for a constant.
    handed = [part.clone() for part in fitted.model.references]
    return onnx_graph(graph, (*example, *handed), told, outputs)


def classifier_files(fitted: Fitted, data_hash: str) -> dict[str, bytes]:
    """Return the files of a bundle that come from the weights: the graph, and a metric network's references.

    Args:
        fitted: A fitted classifier.
        data_hash: Content hash of the samples that it was trained on.
    """
    graph = to_onnx(fitted)
    if not isinstance(fitted.model, EmbeddingNetwork):
        return {"model.onnx": graph}
    labels = tuple(fitted.classes[index] for index in fitted.model.reference_label_R.tolist())
    prior = dict(zip(fitted.classes, fitted.model.log_prior_C.double().exp().tolist(), strict=True))
    references = ReferenceSet(
        fitted.model.reference_RE.numpy(), labels, (data_hash,) * len(labels), prior, data_hash,
        hashlib.sha256(graph).hexdigest(),
    )  # fmt: skip
    return {"model.onnx": graph, REFERENCES: references.to_parquet()}


def classifier_manifest(
    fitted: Fitted, extract: Mapping[str, Any], data_hash: str, code_version: str, metrics: Mapping[str, float]
) -> Manifest:
    """Return what a classifier's bundle says of itself; hashes and parity are still to come.

    Args:
        fitted: A fitted classifier.
        extract: Fields of `ExtractSettings` that its patches were made with.
        data_hash: Content hash of the samples that it was trained on.
        code_version: Git commit.
        metrics: Figures on samples that it never saw.
    """
    by_references = isinstance(fitted.model, EmbeddingNetwork)
    system: Literal["A", "B", "D"] = "B" if by_references else "A"
    if isinstance(fitted.model, TransferNetwork):
        system = "D"
    return Manifest(
        system=system, model=fitted.name, classes=fitted.classes,
        clean_class=fitted.clean_class, input_px=(PATCH_PX, PATCH_PX), bit_depth=8, channels=1, pitch_um=None,
        attributes=fitted.attributes, head=fitted.settings.embedding.head if by_references else "",
        start=fitted.start, sources=fitted.sources, preprocessing={"extract": dict(extract)}, data_hash=data_hash,
        code_version=code_version, metrics=dict(metrics), parity={}, sha256={},
    )  # fmt: skip


def onnx_graph(
    module: nn.Module, example: tuple[Tensor, ...], shapes: Mapping[str, Mapping[int, Any]], outputs: Sequence[str]
) -> bytes:
    """Return a module as an ONNX graph.

    Args:
        module: What is run.
        example: One tensor per input.
        shapes: Name of each input to its dynamic dimensions, as torch.export wants them.
        outputs: Name of each output.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module.eval(), example, path, input_names=list(shapes), output_names=list(outputs), opset_version=_OPSET,
            dynamo=True, dynamic_shapes=dict(shapes), external_data=False, verbose=False, optimize=True,
        )  # fmt: skip
        return path.read_bytes()


def largest_difference(torch_NC: npt.NDArray[np.float32], onnx_NC: npt.NDArray[np.float32]) -> float:
    """Return the largest difference of a probability or score, NaN where one is no number; arrays of any shape."""
    return float(np.abs(torch_NC.astype(np.float64) - onnx_NC).max())


def check_parity(
    torch_NC: npt.NDArray[np.float32], onnx_NC: npt.NDArray[np.float32], tolerance: float = TOLERANCE,
    runtime: str = "ONNX Runtime",
) -> float:  # fmt: skip
    """Return the largest difference of a probability or score; arrays of any shape.

    Raises:
        ModelError: It exceeds the tolerance, or is not a number: the export must not be used.
    """
    worst = largest_difference(torch_NC, onnx_NC)
    if not worst <= tolerance:
        raise ModelError(
            f"torch and {runtime} must agree within {tolerance:g} on held-out samples, they differ by {worst:g}; "
            "export with another opset or report the model"
        )
    return worst

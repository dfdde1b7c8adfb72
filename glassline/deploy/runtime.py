"""Run the graph of a classifier's bundle; needs no torch.

Shapes: B patches, H x W pixels, M metadata values, C classes, E numbers of an embedding.
"""

import numpy as np
import numpy.typing as npt

from glassline.deploy.bundle import Bundle
from glassline.deploy.graphs import Device, open_named
from glassline.deploy.references import read_references
from glassline.errors import ModelError

_AT_ONCE = 256


class OnnxClassifier:
    """A classifier of patches from a bundle."""

    def __init__(self, bundle: Bundle, threads: int = 0, runtime: str = "onnxruntime", device: Device = "cpu") -> None:
        """Open the graph.

        Args:
            bundle: A loaded bundle.
            threads: Threads of the runtime; 0 lets it choose.
            runtime: `onnxruntime`, which every export is compared with, or `openvino`.
            device: Where it runs.

        Raises:
            ModelError: The runtime is missing or refuses the graph, or references do not belong to it.
        """
        self._graph = open_named(bundle.files.get("model.onnx", b""), threads, runtime=runtime, device=device)
        self.runtime = self._graph.runtime
        self._manifest = bundle.manifest
        # System B reads classes from references, which stand beside its graph.
        given = read_references(bundle).inputs(bundle.manifest.classes) if bundle.manifest.system == "B" else {}
        # A linear head asks for fewer.
        self._beside = {name: value for name, value in given.items() if name in self._graph.inputs}

    def predict(
        self, patch_BHW: npt.NDArray[np.uint8], metadata_BM: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return class probabilities (B, C).

        Raises:
            ModelError: The inputs have other shapes than the bundle's.
        """
        return self._run("probability", patch_BHW, metadata_BM, (len(self._manifest.classes),))

    def embed(self, patch_BHW: npt.NDArray[np.uint8], metadata_BM: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return embeddings (B, E) of a metric network; see `predict`."""
        width = self._beside["reference"].shape[1] if self._beside else 0
        return self._run("embedding", patch_BHW, metadata_BM, (width,))

    def nearest_distance(
        self, patch_BHW: npt.NDArray[np.uint8], metadata_BM: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return how far the nearest reference of a metric network is (B,); see `predict`."""
        return self._run("distance", patch_BHW, metadata_BM, ())

    def _run(
        self, output: str, patch_BHW: npt.NDArray[np.uint8], metadata_BM: npt.NDArray[np.float32],
        shape: tuple[int, ...],
    ) -> npt.NDArray[np.float32]:  # fmt: skip
        """Return an output of every patch (B, *shape)."""
        expected = (*self._manifest.input_px,), len(self._manifest.attributes)
        if (patch_BHW.shape[1:], *metadata_BM.shape[1:]) != expected or len(patch_BHW) != len(metadata_BM):
            raise ModelError(
                f"this bundle reads patches of {expected[0]} px with {expected[1]} metadata values each, got "
                f"{patch_BHW.shape} with {metadata_BM.shape}; extract candidates with its settings"
            )
        if output not in self._graph.outputs:
            raise ModelError(
                f"{output} is told by a metric network (system B), got a bundle of {self._manifest.model} "
                f"(system {self._manifest.system}); export triplet or siamese"
            )
        if not len(patch_BHW):
            return np.zeros((0, *shape), np.float32)
        try:
            parts = [
                self._graph.run(
                    {
                        "patch": patch_BHW[start : start + _AT_ONCE],
                        "metadata": metadata_BM[start : start + _AT_ONCE], **self._beside,
                    },
                    [output],
                )[0]
                for start in range(0, len(patch_BHW), _AT_ONCE)
            ]  # fmt: skip
        except MemoryError:  # no fault of the bundle
            raise
        except Exception as error:  # the runtime has no public base class for its errors
            raise ModelError(f"the runtime cannot run this bundle ({error}); export it again") from error
        return np.concatenate(parts)

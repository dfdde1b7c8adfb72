"""Run the graph of a bundle with ONNX Runtime; needs no torch.

Shapes: B patches, H x W pixels, M metadata values, C classes.
"""

from typing import cast

import numpy as np
import numpy.typing as npt

from glassline.deploy.bundle import Bundle
from glassline.errors import ModelError

_AT_ONCE = 256


class OnnxClassifier:
    """A classifier of patches from a bundle."""

    def __init__(self, bundle: Bundle, threads: int = 0) -> None:
        """Open the graph.

        Args:
            bundle: A loaded bundle.
            threads: Threads of the runtime; 0 lets it choose.

        Raises:
            ModelError: The runtime refuses the graph.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                bundle.files["model.onnx"], options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime has no public base class for its errors
            raise ModelError(
                f"model.onnx must be a graph that ONNX Runtime reads ({error}); export it again"
            ) from error
        self._manifest = bundle.manifest

    def predict(
        self, patch_BHW: npt.NDArray[np.uint8], metadata_BM: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return class probabilities (B, C).

        Raises:
            ModelError: The inputs have other shapes than the bundle's.
        """
        expected = (*self._manifest.input_px,), len(self._manifest.attributes)
        if (patch_BHW.shape[1:], *metadata_BM.shape[1:]) != expected or len(patch_BHW) != len(metadata_BM):
            raise ModelError(
                f"this bundle reads patches of {expected[0]} px with {expected[1]} metadata values each, got "
                f"{patch_BHW.shape} with {metadata_BM.shape}; extract candidates with its settings"
            )
        if not len(patch_BHW):
            return np.zeros((0, len(self._manifest.classes)), np.float32)
        parts = [
            self._session.run(
                ["probability"],
                {"patch": patch_BHW[start : start + _AT_ONCE], "metadata": metadata_BM[start : start + _AT_ONCE]},
            )[0]
            for start in range(0, len(patch_BHW), _AT_ONCE)
        ]
        return cast("npt.NDArray[np.float32]", np.concatenate(parts))

"""Write the bundle of a transfer network that reads windows of an image, unless ONNX Runtime disagrees with torch.

Shapes: N patches, H x W pixels, C classes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from glassline.data.storage import written_whole
from glassline.deploy.bundle import Manifest, load_bundle, write_bundle
from glassline.deploy.card import model_card
from glassline.deploy.export import TOLERANCE, check_parity, classifier_files, classifier_manifest
from glassline.deploy.runtime import OnnxClassifier
from glassline.training.fitted import Fitted

_AT_ONCE = 64


def export_transfer(
    fitted: Fitted, path: str | Path, patch_NHW: npt.NDArray[np.uint8], preprocessing: Mapping[str, Any],
    thresholds: Mapping[str, Any], data_hash: str, code_version: str, metrics: Mapping[str, float],
) -> Manifest:  # fmt: skip
    """Write a bundle of system D, unless the runtime that will run it disagrees with torch.

    Args:
        fitted: The fitted model "transfer".
        path: The zip to write.
        patch_NHW: Real patches that parity is checked on, at least one.
        preprocessing: What runs before the graph, as JSON has it.
        thresholds: Content of the editable sidecar.
        data_hash: Content hash of the training samples.
        code_version: Git commit of the code.
        metrics: Figures on samples that the network never saw.

    Raises:
        ModelError: A probability differs by more than the tolerance.
    """
    files = classifier_files(fitted, data_hash)
    manifest = classifier_manifest(fitted, {}, data_hash, code_version, metrics)
    manifest = manifest.model_copy(update={"preprocessing": dict(preprocessing)})
    with written_whole(path) as beside:
        # The gate reads the very graph that is handed out: written, loaded, run, and only then kept.
        write_bundle(beside, manifest, {**files, "card.md": b""}, {})
        nothing_NM = np.zeros((len(patch_NHW), 0), np.float32)
        onnx_NC = OnnxClassifier(load_bundle(beside)).predict(patch_NHW, nothing_NM)
        parity = {"largest_difference": check_parity(_expected(fitted, patch_NHW), onnx_NC), "tolerance": TOLERANCE}
        manifest = manifest.model_copy(update={"parity": parity})
        card = model_card(manifest, len(patch_NHW), thresholds).encode()
        return write_bundle(beside, manifest, {**files, "card.md": card}, thresholds)


@torch.inference_mode()
def _expected(fitted: Fitted, patch_NHW: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    parts = [torch.from_numpy(patch_NHW[at : at + _AT_ONCE]) for at in range(0, len(patch_NHW), _AT_ONCE)]
    probability = [fitted.model(part.float(), torch.zeros(len(part), 0)).softmax(1) for part in parts]
    return np.asarray(torch.cat(probability).numpy(), np.float32)

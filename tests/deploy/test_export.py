"""ONNX graphs that say what torch says."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassline.deploy.bundle import load_bundle, write_bundle
from glassline.deploy.export import TOLERANCE, check_parity, classifier_files, classifier_manifest
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import ModelError
from glassline.models.metadata import StandardiseMetadata
from glassline.models.registry import MODELS, build_model
from glassline.models.triplet import EmbeddingNetwork
from glassline.training.fitted import Fitted
from glassline.training.settings import TrainingSettings

ATTRIBUTES = ("x_mm", "y_mm", "attr_area")
#: Classes of the references.
LABELS_R = torch.arange(40) % 2


def _fitted(name: str) -> Fitted:
    torch.manual_seed(0)
    settings = TrainingSettings.parse({"backbone": {"network": "timm/test_resnet.r160_in1k"}})
    model = build_model(name, 112, 3, 2, settings).to(memory_format=torch.channels_last).eval()
    for part in model.modules():
        if isinstance(part, StandardiseMetadata):
            part.fit(torch.tensor([[0.0, 5.0, 900.0], [2.0, 5.0, 100.0]]))  # the second column is constant
    if isinstance(model, EmbeddingNetwork):
        patch_BHW, metadata_BM = _inputs(40)
        with torch.no_grad():
            model.refer(model.embed(torch.from_numpy(patch_BHW).float(), torch.from_numpy(metadata_BM)), LABELS_R)
    return Fitted(name, model, ("dent", "control"), "control", ATTRIBUTES, settings, pd.DataFrame())


def _inputs(rows: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(rows)
    metadata_BM = generator.normal(500, 5000, (rows, 3)).astype(np.float32)
    metadata_BM[::3, 0] = np.nan
    return generator.integers(0, 256, (rows, 112, 112), dtype=np.uint8), metadata_BM


@pytest.mark.parametrize("name", MODELS)
def test_export_agrees_with_torch_at_any_batch_size(name, tmp_path, manifest):
    fitted = _fitted(name)
    manifest = classifier_manifest(fitted, {}, manifest.data_hash, "", {})
    files = classifier_files(fitted, manifest.data_hash)
    write_bundle(tmp_path / "a.zip", manifest, files, {})
    classifier = OnnxClassifier(load_bundle(tmp_path / "a.zip"), threads=1)
    for rows in (1, 2, 300):
        patch_BHW, metadata_BM = _inputs(rows)
        with torch.no_grad():
            logits_BC = fitted.model(torch.from_numpy(patch_BHW).float(), torch.from_numpy(metadata_BM))
        onnx_BC = classifier.predict(patch_BHW, metadata_BM)
        assert onnx_BC.shape == (rows, 2)
        assert check_parity(logits_BC.softmax(1).numpy(), onnx_BC) <= TOLERANCE
    assert np.ptp(onnx_BC[:, 0]) > 1e-4


def test_check_parity_returns_the_largest_difference():
    torch_NC = np.array([[0.5, 0.5], [0.2, 0.8]], np.float32)
    assert check_parity(torch_NC, torch_NC) == 0.0
    assert check_parity(torch_NC, torch_NC + np.float32([0, 5e-5])) == pytest.approx(5e-5, rel=0.01)


def test_check_parity_refuses_a_difference():
    with pytest.raises(ModelError, match=r"within 0.0001 on held-out samples, they differ by 0.00999"):
        check_parity(np.full((3, 2), 0.5, np.float32), np.array([[0.5, 0.5], [0.51, 0.5], [0.5, 0.5]], np.float32))


@pytest.mark.parametrize("side", [0, 1])
def test_check_parity_refuses_what_is_no_number(side):
    pair = [np.full((2, 2), 0.5, np.float32), np.full((2, 2), 0.5, np.float32)]
    pair[side][0, 0] = np.nan
    with pytest.raises(ModelError, match="differ by nan"):
        check_parity(*pair)


def test_check_parity_refuses_when_both_sides_are_no_numbers():
    nan_NC = np.full((2, 2), np.nan, np.float32)
    with pytest.raises(ModelError, match="differ by nan"):
        check_parity(nan_NC, nan_NC)

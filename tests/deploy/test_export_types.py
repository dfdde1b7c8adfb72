"""The exported classifier of defect types agrees with torch."""

import numpy as np
import pytest
import torch

from glassline.deploy.export_types import check_types, types_to_onnx
from glassline.errors import ModelError
from glassline.models.type_classifier import build_type_classifier
from glassline.training.fitted_types import FittedTypes, TypeCounts
from glassline.training.settings import DefectTypeSettings

CLASSES = ("line", "spot", "clean")


def _fitted(colour):
    torch.manual_seed(0)
    settings = DefectTypeSettings.parse({"classifier": {"network": "resnet18", "window_px": 32}})
    model = build_type_classifier(settings.classifier, colour, len(CLASSES)).eval()
    return FittedTypes(model, settings, CLASSES, colour, TypeCounts(defects={}, false_positives=0, random_clean=0))


@pytest.mark.parametrize("colour", [False, True])
def test_exported_classifier_agrees_with_torch_for_any_number_of_windows(colour):
    import onnxruntime

    fitted = _fitted(colour)
    session = onnxruntime.InferenceSession(types_to_onnx(fitted), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for count in (1, 2, 7):
        windows = rng.integers(0, 256, (count, 32, 32, 3) if colour else (count, 32, 32), np.uint8)
        run = lambda given: session.run(["probability"], {"window": given})[0]  # noqa: E731
        assert run(windows).shape == (count, 3)
        assert check_types(fitted, run, windows) < 1e-4


def test_runtime_that_disagrees_is_refused():
    windows = np.zeros((2, 32, 32), np.uint8)
    with pytest.raises(ModelError, match="torch and OpenVINO must agree"):
        check_types(_fitted(False), lambda given: np.eye(3)[:2], windows, "OpenVINO")

"""Class activation of windows: plain where features are averages, by gradient elsewhere."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from glassline.analysis.plain_cam import MOST_PARTS, run_activation
from glassline.errors import ModelError
from glassline.models.registry import build_model
from glassline.models.settings import CnnSettings, NetworkSettings
from glassline.training.fitted import Fitted
from glassline.training.run_defective import run_defective
from glassline.training.settings import TrainingSettings

PATCH_BHW = np.random.default_rng(0).integers(0, 256, (3, 112, 112), dtype=np.uint8)


class _Averages(nn.Module):
    """A network that ends as Zhou's do."""

    def __init__(self, classes: int = 3, stride: int = 16) -> None:
        super().__init__()
        self.last_convolution = nn.Sequential(nn.Conv2d(1, 5, 3, stride, 1), nn.ReLU())
        self.head = nn.Linear(5, classes)

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        return self.last_convolution(patch_BHW[:, None] / 127.5 - 1).mean((2, 3))

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        return self.head(self.embed(patch_BHW, metadata_BM))


def _fitted(name: str, model: nn.Module, clean: str = "control") -> Fitted:
    classes = ("dent", "mold", "control")
    return Fitted(name, model.eval(), classes, clean, ("x_mm", "y_mm"), TrainingSettings(), pd.DataFrame())


@pytest.fixture
def averages() -> _Averages:
    torch.manual_seed(0)
    return _Averages()


def test_plain_activation_equals_loops(averages):
    map_Bhw = run_activation(_fitted("transfer", averages))(PATCH_BHW)
    with torch.no_grad():
        activation = averages.last_convolution(torch.from_numpy(PATCH_BHW).float()[:, None] / 127.5 - 1)
        logits = averages(torch.from_numpy(PATCH_BHW).float(), None)
    weight, bias = averages.head.weight.detach().numpy(), averages.head.bias.detach().numpy()
    assert map_Bhw.shape == (3, 7, 7)
    for b, y, x in np.ndindex(3, 7, 7):
        best = int(logits[b, :2].argmax())
        margin = bias[best] - bias[2]
        for f in range(5):
            margin += (weight[best, f] - weight[2, f]) * float(activation[b, f, y, x])
        assert map_Bhw[b, y, x] == pytest.approx(max(margin, 0), abs=1e-5)


def test_the_mean_of_a_plain_activation_is_the_margin_of_the_defect(averages):
    with torch.no_grad():
        averages.head.bias[:] = torch.tensor([9.0, 8.0, 0.0])  # positive everywhere: nothing is cut off
    map_Bhw = run_activation(_fitted("transfer", averages))(PATCH_BHW)
    with torch.no_grad():
        logits = averages(torch.from_numpy(PATCH_BHW).float(), None).numpy()
    np.testing.assert_allclose(map_Bhw.mean(axis=(1, 2)), logits[:, :2].max(axis=1) - logits[:, 2], rtol=1e-4)


def test_fine_activation_is_told_in_few_parts():
    torch.manual_seed(0)
    assert run_activation(_fitted("transfer", _Averages(stride=2)))(PATCH_BHW).shape == (3, MOST_PARTS, MOST_PARTS)


def test_other_networks_are_explained_by_gradient_times_probability():
    torch.manual_seed(0)
    model = build_model("cnn", 112, 2, 3, NetworkSettings(cnn=CnnSettings(filters=2, pool_px=4)))
    fitted = _fitted("cnn", model)
    map_Bhw, defective_B = run_activation(fitted)(PATCH_BHW), run_defective(fitted)(PATCH_BHW)
    assert map_Bhw.shape == (3, MOST_PARTS, MOST_PARTS)
    assert (map_Bhw >= 0).all()
    assert (map_Bhw.max(axis=(1, 2)) <= defective_B + 1e-5).all()


def test_a_network_without_convolution_has_no_activation():
    model = build_model("mlp", 112, 2, 3, NetworkSettings())
    with pytest.raises(ModelError, match="needs a convolution, mlp has none"):
        run_activation(_fitted("mlp", model))


def test_probability_of_a_defect_is_that_of_any_type(averages):
    defective_B = run_defective(_fitted("transfer", averages))(PATCH_BHW)
    with torch.no_grad():
        probability_BC = averages(torch.from_numpy(PATCH_BHW).float(), None).softmax(1).numpy()
    np.testing.assert_allclose(defective_B, probability_BC[:, 0] + probability_BC[:, 1], atol=1e-6)


@pytest.mark.parametrize("run", [run_defective, run_activation])
def test_a_classifier_without_a_clean_class_is_refused(averages, run):
    with pytest.raises(ModelError, match="knows patches without a defect, got transfer"):
        run(_fitted("transfer", averages, clean=""))


def test_a_model_that_reads_places_runs_without_them():
    torch.manual_seed(0)
    model = build_model("ensemble_fusion", 112, 2, 3, NetworkSettings(cnn=CnnSettings(filters=2, pool_px=4)))
    assert np.isfinite(run_defective(_fitted("ensemble_fusion", model))(PATCH_BHW)).all()

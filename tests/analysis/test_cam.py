"""Class activation maps: a network that is known to look at one quadrant, and the share of energy."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassline.analysis.cam import activation_maps, energy_inside, looks_elsewhere
from glassline.errors import ModelError
from glassline.models.cnn import VanillaCnn
from glassline.models.registry import MODELS, build_model
from glassline.models.settings import WITHOUT_IMAGE_BRANCH, BackboneSettings, CnnSettings, NetworkSettings
from glassline.training.fitted import Fitted
from glassline.training.settings import TrainingSettings

NONE_BM = np.zeros((1, 2), np.float32)
SMALL = NetworkSettings(
    cnn=CnnSettings(filters=4), backbone=BackboneSettings(network="timm/test_resnet.r160_in1k")
)  # fmt: skip


def _fitted(name: str, model: nn.Module) -> Fitted:
    return Fitted(name, model.eval(), ("dent", "control"), "", ("a", "b"), TrainingSettings(), pd.DataFrame())


def _looks_at_bright_pixels() -> Fitted:
    """A CNN whose one filter passes what is brighter than grey, and whose class 0 is its sum over the patch."""
    model = VanillaCnn(112, 2, CnnSettings(filters=1, kernel_px=1, pool_px=2, depth=1))
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.image.pairs[0].weight.fill_(1.0)
        for index in (0, 2, 4):
            model.head[index].weight[0].fill_(1.0 if index == 0 else 0.0)
            model.head[index].weight[0, 0] = 1.0
    return _fitted("cnn", model)


@pytest.mark.parametrize("quadrant", [np.s_[:56, :56], np.s_[:56, 56:], np.s_[56:, :56], np.s_[56:, 56:]])
def test_activation_map_lies_where_the_filter_responds(quadrant):
    patch_HW, mask_HW = np.zeros((112, 112), np.uint8), np.zeros((112, 112), bool)
    patch_HW[quadrant], mask_HW[quadrant] = 255, True
    cams_BHW = activation_maps(_looks_at_bright_pixels(), patch_HW[None], NONE_BM, [0])
    assert cams_BHW.shape == (1, 112, 112)
    assert cams_BHW.max() == pytest.approx(1, abs=1e-5)
    assert energy_inside(cams_BHW, mask_HW[None])[0] > 0.95
    assert not looks_elsewhere(cams_BHW, mask_HW[None])[0]
    assert looks_elsewhere(cams_BHW, ~mask_HW[None])[0]


def test_activation_map_is_all_zero_where_nothing_speaks_for_the_class():
    patch_BHW = np.full((1, 112, 112), 200, np.uint8)
    patch_BHW[:, :50] = 0
    assert not activation_maps(_looks_at_bright_pixels(), patch_BHW, NONE_BM, [1]).any()


def test_activation_maps_explain_each_patch_as_if_it_were_alone():
    torch.manual_seed(0)
    fitted = _fitted("ensemble_fusion", build_model("ensemble_fusion", 112, 2, 2, SMALL))
    patch_BHW = np.random.default_rng(0).integers(0, 256, (3, 112, 112), dtype=np.uint8)
    metadata_BM = np.array([[0, 1], [np.nan, 2], [3, 4]], np.float32)
    together_BHW = activation_maps(fitted, patch_BHW, metadata_BM, [0, 1, 0])
    for n, target in enumerate([0, 1, 0]):
        alone_BHW = activation_maps(fitted, patch_BHW[n : n + 1], metadata_BM[n : n + 1], [target])
        np.testing.assert_allclose(together_BHW[n], alone_BHW[0], atol=1e-4)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in WITHOUT_IMAGE_BRANCH])
def test_activation_maps_lie_between_zero_and_one_for_every_model_with_an_image_branch(name):
    torch.manual_seed(0)
    fitted = _fitted(name, build_model(name, 112, 2, 2, SMALL))
    patch_BHW = np.random.default_rng(0).integers(0, 256, (1, 112, 112), dtype=np.uint8)
    cams_BHW = activation_maps(fitted, patch_BHW, NONE_BM, [0])
    assert cams_BHW.min() >= 0
    assert cams_BHW.max() <= 1
    assert np.isfinite(cams_BHW).all()


def test_activation_maps_refuse_a_model_without_image_branch():
    fitted = _fitted("mlp", build_model("mlp", 112, 2, 2, NetworkSettings()))
    with pytest.raises(ModelError, match="needs an image branch, mlp has none"):
        activation_maps(fitted, np.zeros((1, 112, 112), np.uint8), NONE_BM, [0])


def test_energy_inside_equals_loops():
    cams_BHW = np.random.default_rng(0).random((2, 5, 6)).astype(np.float32)
    masks_BHW = cams_BHW > 0.6
    for cam_HW, mask_HW, share in zip(cams_BHW, masks_BHW, energy_inside(cams_BHW, masks_BHW), strict=True):
        inside = sum(float(cam_HW[y, x]) for y, x in np.ndindex(5, 6) if mask_HW[y, x])
        assert share == pytest.approx(inside / sum(float(value) for value in cam_HW.ravel()))


@pytest.mark.parametrize(
    ("energy", "mask", "share", "elsewhere"),
    [
        (0.0, True, 0.0, True),  # a map without energy does not look at the defect
        (0.0, False, 0.0, False),
        (1.0, True, 1.0, False),  # a defect that fills the patch cannot be missed
        (1.0, False, 0.0, False),  # no defect, nowhere else to look
    ],
)
def test_looks_elsewhere_in_degenerate_cases(energy, mask, share, elsewhere):
    cams_BHW, masks_BHW = np.full((1, 4, 4), energy, np.float32), np.full((1, 4, 4), mask)
    assert energy_inside(cams_BHW, masks_BHW).tolist() == [share]
    assert looks_elsewhere(cams_BHW, masks_BHW).tolist() == [elsewhere]


def test_looks_elsewhere_only_below_the_energy_of_an_even_map():
    cams_BHW = np.ones((3, 2, 2), np.float32)
    cams_BHW[1, 0, 0], cams_BHW[2, 0, 0] = 0.9, 1.1
    masks_BHW = np.zeros((3, 2, 2), bool)
    masks_BHW[:, 0, 0] = True
    assert looks_elsewhere(cams_BHW, masks_BHW).tolist() == [False, True, False]

"""Backbones by name: shapes, what is refused, a last layer of its own."""

import pytest
import torch
from torch import nn

from glassline.errors import SettingsError
from glassline.models.backbone import Backbone, TransferNetwork
from glassline.models.settings import BackboneSettings

TINY = BackboneSettings(network="timm/test_resnet.r160_in1k", weights="random")
NONE_BM = torch.zeros(2, 0)


@pytest.fixture(scope="module")
def inception() -> Backbone:
    return Backbone("inception_v3").eval()


def test_inception_gives_its_features_without_auxiliary_head_or_last_layer(inception):
    assert inception.features == 2048
    assert inception(torch.zeros(1, 112, 112)).shape == (1, 2048)
    assert inception.last_convolution is inception.network.Mixed_7c
    assert not [name for name, _ in inception.named_parameters() if "Aux" in name or "fc" in name]


def test_inception_reads_grey_levels_as_the_scale_that_its_weights_were_trained_on(inception):
    seen = []
    hook = inception.network.Conv2d_1a_3x3.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    patch_BHW = torch.tensor([0.0, 127.5, 255.0]).view(1, 1, 3).expand(1, 112, 3).repeat_interleave(40, 2)
    inception(patch_BHW)
    hook.remove()
    levels = seen[0][0, :, 0, [0, 60, 119]]
    torch.testing.assert_close(levels, torch.tensor([-1.0, 0.0, 1.0]).expand(3, 3), atol=1e-5, rtol=0)


def test_other_networks_read_imagenet_s_scale():
    seen = []
    backbone = Backbone("resnet18").eval()
    backbone.network.conv1.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    backbone(torch.full((1, 112, 112), 51.0))
    expected = [(0.2 - mean) / std for mean, std in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)]
    torch.testing.assert_close(seen[0][0, :, 5, 5], torch.tensor(expected))


@pytest.mark.parametrize(("name", "features"), [("resnet18", 512), ("mobilenet_v3_small", 1024), (TINY.network, 96)])
def test_a_transfer_network_puts_a_last_layer_on_features(name, features):
    model = TransferNetwork(3, BackboneSettings(network=name)).eval()
    patch_BHW = torch.rand(2, 112, 112) * 255
    assert model.embed(patch_BHW, NONE_BM).shape == (2, features)
    assert model(patch_BHW, NONE_BM).shape == (2, 3)


def test_without_classes_a_transfer_network_gives_features():
    model = TransferNetwork(0, TINY).eval()
    patch_BHW = torch.rand(2, 112, 112) * 255
    torch.testing.assert_close(model(patch_BHW, NONE_BM), model.embed(patch_BHW, NONE_BM))


def test_with_classes_keeps_the_features_renews_the_last_layer_and_freezes_nothing():
    model = TransferNetwork(2, TINY).eval().requires_grad_(False)
    other, patch_BHW = model.with_classes(2), torch.rand(2, 112, 112) * 255
    assert all(part.training for part in other.modules())
    torch.testing.assert_close(other.eval().embed(patch_BHW, NONE_BM), model.embed(patch_BHW, NONE_BM))
    assert not torch.equal(other.last.weight, model.last.weight)
    assert all(weight.requires_grad for weight in other.parameters())
    nn.init.zeros_(next(other.parameters()))
    assert next(model.parameters()).any()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("inceptionv3", "got 'inceptionv3'; did you mean inception_v3"),
        ("timm/resnet10tt", "did you mean timm/resnet10t"),
        ("vit_b_16", "must read patches of 112 px, vit_b_16 does not"),
        ("squeezenet1_0", "must end in a linear layer, squeezenet1_0 does not"),
    ],
)
def test_a_network_that_does_not_serve_is_refused(name, told):
    with pytest.raises(SettingsError, match=told):
        Backbone(name)

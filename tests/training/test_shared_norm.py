"""Batch normalisation of the whole batch, here of one process: it is what the layer itself makes."""

import copy

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from glassline.training.shared_norm import WholeBatchNorm


@pytest.fixture(autouse=True)
def alone(tmp_path):
    """A group of one process."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("layer", [nn.BatchNorm2d(3), BatchNormAct2d(3), nn.BatchNorm2d(3, affine=False)])
def test_whole_batch_norm_is_what_the_layer_makes_of_the_batch(layer, momentum):
    x_BKHW = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 2 + 1
    own = nn.Sequential(copy.deepcopy(layer)).train()
    own[0].momentum = momentum
    whole, inputs = WholeBatchNorm().apply(copy.deepcopy(own)), [x_BKHW.clone().requires_grad_() for _ in range(2)]
    outputs = [one(given) for one, given in zip((own, whole), inputs, strict=True)]
    for output in outputs:
        (output**3).sum().backward()
    torch.testing.assert_close(outputs[1], outputs[0])
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(whole.state_dict(), own.state_dict())


def test_whole_batch_norm_gives_layers_their_own_forward_back():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3))
    assert "forward" in vars(WholeBatchNorm().apply(model)[1])
    assert "forward" not in vars(WholeBatchNorm().revert(model)[1])

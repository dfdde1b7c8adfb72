"""Segmentation networks by name: one contract, and a receptive field that covers the patch."""

import pytest
import torch

from glassline.models.receptive_field import receptive_field_px
from glassline.models.registry import ZONE_PATCH_PX, describe
from glassline.models.segmenters import NETWORKS, build_segmenter
from glassline.models.settings import UnetSettings
from glassline.models.unet import CONVOLUTIONS, DECODER, NestedUnet


def by_hand_px(block_px: int) -> int:
    """Return the widest receptive field: each kernel of k adds k - 1 steps of its level."""
    seen, step = 1, 1
    for level, count in enumerate(CONVOLUTIONS):
        if level:
            seen += step
            step *= 2
        seen += 2 * step * count
    for _ in DECODER:
        seen += step  # a place between two coarse ones reads both
        step //= 2
        seen += 2 * 2 * step
    assert step == 1
    return seen * block_px


@pytest.mark.parametrize("name", NETWORKS)
def test_describe_shows_a_receptive_field_that_covers_the_patch(name: str) -> None:
    described = describe(name)
    assert described.receptive_field_px >= ZONE_PATCH_PX == described.input_shape["sigmas"][-1]
    assert described.gflop > 1


@pytest.mark.parametrize("block_px", [1, 2])
def test_receptive_field_is_the_one_by_hand_up_to_the_phase_of_the_poolings(block_px: int) -> None:
    measured = receptive_field_px(NestedUnet(1, 1 / 32, block_px=block_px), 1, block_px)
    assert by_hand_px(block_px) - 64 * block_px <= measured <= by_hand_px(block_px)


@pytest.mark.parametrize("block_px", [1, 2])
def test_receptive_field_of_one_convolution_is_its_kernel(block_px: int) -> None:
    class OneConvolution(torch.nn.Module):
        def forward(self, x_BSHW: torch.Tensor) -> list[torch.Tensor]:
            blocks = x_BSHW[:, :1, ::block_px, ::block_px]
            return [torch.nn.functional.conv2d(blocks, torch.ones(1, 1, 5, 5), padding=2)[:, 0]]

    assert receptive_field_px(OneConvolution(), 2, block_px) == 5 * block_px


@pytest.mark.parametrize("name", NETWORKS)
def test_segmenter_gives_three_scales(name: str) -> None:
    network = build_segmenter(2, UnetSettings(network=name, width=1 / 32)).eval()
    with torch.inference_mode():
        scales = network(torch.zeros(1, 2, 64, 128))
    assert [tuple(output.shape) for output in scales] == [(1, 32, 64), (1, 16, 32), (1, 8, 16)]


def test_resnet_scales_are_means_of_the_finest() -> None:
    torch.manual_seed(0)
    network = build_segmenter(1, UnetSettings(network="unet_resnet34")).eval()
    with torch.inference_mode():
        finest, half, quarter = network(torch.rand(1, 1, 64, 64))
    assert half[0, 1, 2].item() == pytest.approx(finest[0, 2:4, 4:6].mean().item(), abs=1e-6)
    assert quarter[0, 1, 2].item() == pytest.approx(finest[0, 4:8, 8:12].mean().item(), abs=1e-6)

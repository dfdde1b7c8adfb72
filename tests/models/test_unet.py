"""The nested U-Net against its published counts, eq. 1 by plain loops, and what sharing one pool means."""

import pytest
import torch

from glassline.models.settings import UnetSettings
from glassline.models.unet import CONVOLUTIONS, Block, NestedUnet, compress, space_to_depth


def counted(nested: bool) -> int:
    with torch.device("meta"):
        return sum(weight.numel() for weight in NestedUnet(6, nested=nested).parameters())


@pytest.fixture
def tiny() -> NestedUnet:
    torch.manual_seed(0)
    return NestedUnet(2, width=1 / 32).eval()


def test_parameters_are_as_published() -> None:
    assert counted(nested=True) == pytest.approx(13.9e6, rel=0.05)
    assert counted(nested=False) == pytest.approx(44.4e6, rel=0.02)
    assert counted(nested=False) - counted(nested=True) == pytest.approx(30.5e6, abs=0.1e6)


@pytest.mark.parametrize("block_px", [1, 2, 3])
def test_space_to_depth_is_eq_1(block_px: int) -> None:
    q = block_px
    frames_BSHW = torch.rand(2, 3, 6, 12)
    stacked = space_to_depth(frames_BSHW, q)
    assert stacked.shape == (2, 3 * q * q, 6 // q, 12 // q)
    for k in range(3 * q * q):
        for i in range(6 // q):
            for j in range(12 // q):
                wanted = frames_BSHW[:, k // q**2, q * i + k % q, q * j + (k // q) % q]
                assert torch.equal(stacked[:, k, i, j], wanted)


def test_compress_is_odd_rising_and_1_at_a_thousand_sigmas() -> None:
    sigmas = torch.tensor([-1000.0, -3.0, 0.0, 3.0, 1000.0])
    compressed = compress(sigmas)
    torch.testing.assert_close(compressed, -compressed.flip(0))
    assert compressed[-1].item() == pytest.approx(1)
    assert (compressed.diff() > 0).all()
    assert compressed[3].item() > 0.15


@pytest.mark.parametrize("block_px", [1, 2])
def test_output_has_three_scales_the_finest_first(block_px: int) -> None:
    network = NestedUnet(2, 1 / 32, block_px=block_px)
    scales = network(torch.zeros(3, 2, 64, 32 * 3 * block_px))
    sizes = [(3, 64 // block_px // scale, 96 // scale) for scale in (1, 2, 4)]
    assert [tuple(output_BHW.shape) for output_BHW in scales] == sizes


def test_pool_changes_every_convolution_of_the_encoder_but_the_first_two(tiny: NestedUnet) -> None:
    reads = {}
    for level, blocks in enumerate(tiny.down):
        for place, block in enumerate(blocks):
            x_BCHW = torch.rand(1, block.inputs, 8, 8)
            before = block(x_BCHW)
            with torch.no_grad():
                tiny.pool.weight.add_(0.5)
            reads[level, place] = not torch.equal(block(x_BCHW), before)
    assert len(reads) == sum(CONVOLUTIONS)
    assert [at for at, read in reads.items() if not read] == [(0, 0), (0, 1)]


def test_every_slice_begins_at_the_first_weight_of_the_pool(tiny: NestedUnet) -> None:
    for block in (block for blocks in list(tiny.down)[1:] for block in blocks):
        kernels = tiny.pool.slice(block.inputs, block.outputs)
        assert kernels.shape == (block.outputs, block.inputs, 3, 3)
        assert kernels.data_ptr() == tiny.pool.weight.data_ptr()


def test_gradient_of_the_pool_is_the_sum_over_all_levels(tiny: NestedUnet) -> None:
    tiny(torch.rand(1, 2, 64, 64))[0].sum().backward()
    corner = tiny.pool.weight.grad[:4, :4]  # read by all levels
    assert corner.abs().min() > 0
    assert not any(name.endswith("weight") and "down.1" in name and "shortcut" not in name for name in _names(tiny))


def test_plain_network_has_no_pool_and_weights_of_its_own_in_every_block() -> None:
    network = NestedUnet(2, 1 / 32, nested=False)
    assert network.pool is None
    assert all(f"down.{level}.0.weight" in _names(network) for level in range(6))


def test_block_is_elu_of_convolution_and_shortcut() -> None:
    block = Block(2, 3)
    torch.nn.init.normal_(block.weight)
    x_BCHW = torch.randn(1, 2, 5, 5)
    padded = torch.nn.functional.pad(x_BCHW, (1, 1, 1, 1))
    for feature, row, column in ((0, 0, 0), (1, 2, 3), (2, 4, 4)):
        window = padded[0, :, row : row + 3, column : column + 3]
        level = (block.weight[feature] * window).sum() + block.bias[feature]
        level = level + (block.shortcut.weight[feature, :, 0, 0] * x_BCHW[0, :, row, column]).sum()
        wanted = level if level > 0 else torch.exp(level) - 1
        torch.testing.assert_close(block(x_BCHW)[0, feature, row, column], wanted)


def test_width_scales_the_features_and_never_below_four() -> None:
    def features(width: float) -> list[int]:
        return [blocks[0].outputs for blocks in NestedUnet(6, width).down]

    assert features(1.0) == [96, 128, 196, 256, 512, 768]
    assert features(0.25) == [24, 32, 49, 64, 128, 192]
    assert features(1 / 32) == [4, 4, 6, 8, 16, 24]


def test_initial_weights_are_the_same_for_one_seed_and_biases_0() -> None:
    def drawn(seed: int) -> NestedUnet:
        torch.manual_seed(seed)
        return NestedUnet(1, UnetSettings().width / 32)

    one, again, other = drawn(0), drawn(0), drawn(1)
    assert torch.equal(one.pool.weight, again.pool.weight)
    assert not torch.equal(one.pool.weight, other.pool.weight)
    assert not any(value.any() for name, value in one.named_parameters() if name.endswith("bias"))


def _names(network: NestedUnet) -> list[str]:
    return [name for name, _ in network.named_parameters()]

"""Image branch and vanilla CNN against plain loops."""

import numpy as np
import pytest
import torch

from glassline.errors import SettingsError
from glassline.models.cnn import ImageBranch, VanillaCnn
from glassline.models.settings import CnnSettings


def _pair(map_HWC: np.ndarray, weight_OCKK: np.ndarray, bias_O: np.ndarray, pool: int) -> np.ndarray:
    """Eq. 1-2 in loops: convolution with zeros around, ReLU, maximum of every pool x pool window."""
    height, width, channels = map_HWC.shape
    kernel = weight_OCKK.shape[2]
    reach = (kernel - 1) // 2
    full = np.zeros((height, width, len(bias_O)))
    for y, x, o in np.ndindex(*full.shape):
        total = bias_O[o]
        for c, v, u in np.ndindex(channels, kernel, kernel):
            if 0 <= y + v - reach < height and 0 <= x + u - reach < width:
                total += weight_OCKK[o, c, v, u] * map_HWC[y + v - reach, x + u - reach, c]
        full[y, x, o] = max(total, 0.0)
    pooled = np.zeros((height // pool, width // pool, len(bias_O)))
    for y, x, o in np.ndindex(*pooled.shape):
        pooled[y, x, o] = full[y * pool : (y + 1) * pool, x * pool : (x + 1) * pool, o].max()
    return pooled


@pytest.mark.parametrize(("kernel", "pool"), [(3, 2), (1, 3), (5, 2), (2, 2), (4, 3)])
def test_image_branch_equals_loops_over_pixels(kernel, pool):
    torch.manual_seed(0)
    branch = ImageBranch(9, CnnSettings(filters=2, kernel_px=kernel, pool_px=pool, depth=2))
    patch_HW = np.random.default_rng(0).integers(0, 256, (9, 9))
    expected = (patch_HW / 255 * 2 - 1)[:, :, None]
    for layer in branch.pairs[::3]:
        expected = _pair(expected, layer.weight.detach().numpy(), layer.bias.detach().numpy(), pool)
    features = branch(torch.tensor(patch_HW[None]).float()).detach().numpy()
    np.testing.assert_allclose(features[0], expected.transpose(2, 0, 1).ravel(), atol=1e-5)
    assert branch.features == expected.size


def test_image_branch_scales_black_to_minus_one_and_white_to_one():
    scale = ImageBranch(4, CnnSettings(depth=1)).scale
    assert scale(torch.tensor([[[0.0, 255.0, 127.5]]])).flatten().tolist() == [-1.0, 1.0, 0.0]


def test_image_branch_names_its_last_convolution():
    branch = ImageBranch(112, CnnSettings(depth=3))
    assert branch.last_convolution is [part for part in branch.modules() if isinstance(part, torch.nn.Conv2d)][-1]


def test_image_branch_refuses_to_pool_a_patch_away():
    with pytest.raises(SettingsError, match=r"must be <= 112, the patch's edge in px, got 8 \*\* 3"):
        ImageBranch(112, CnnSettings(pool_px=8, depth=3))


def test_vanilla_cnn_ignores_metadata_and_embeds_before_its_last_layer():
    model = VanillaCnn(16, 3, CnnSettings()).eval()
    patch_BHW = torch.rand(2, 16, 16) * 255
    logits_BC = model(patch_BHW, torch.full((2, 5), torch.nan))
    embedded_BF = model.embed(patch_BHW, torch.zeros(2, 5))
    assert embedded_BF.shape == (2, 64)
    torch.testing.assert_close(logits_BC, embedded_BF @ model.head[-1].weight.T + model.head[-1].bias)

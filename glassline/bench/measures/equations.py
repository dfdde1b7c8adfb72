"""The papers' sums with plain loops beside what we compute: the largest difference."""

import numpy as np
import torch
from torch import nn

from glassline.bench.measured import Bench, Measured


def image_branch(bench: Bench) -> Measured:
    """Compare convolution, pooling and perceptron of system A with eq. 1 to 3."""
    from glassline.models.cnn import ScalePatch, VanillaCnn
    from glassline.models.settings import CnnSettings

    torch.manual_seed(bench.seed)
    model = VanillaCnn(12, 3, CnnSettings(filters=2, depth=1)).eval()
    convolution, pool, first = model.image.pairs[0], model.image.pairs[1], model.head[0]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(first, nn.Linear)
    patch_1HW = torch.randint(0, 256, (1, 12, 12)).float()
    with torch.no_grad():
        scaled_1CHW = ScalePatch()(patch_1HW)
        scaled_HW = scaled_1CHW[0, 0].numpy()
        maps_FHW = convolution(scaled_1CHW)[0]
        pooled_FHW = pool(maps_FHW[None])[0]
        hidden_H = torch.relu(first(pooled_FHW.relu().flatten())).numpy()
    kernel, bias = (one.detach().numpy() for one in convolution.parameters())
    padded_HW = np.pad(scaled_HW, 1)
    by_hand_FHW = np.array(
        [
            [[(kernel[f, 0] * padded_HW[y : y + 3, x : x + 3]).sum() + bias[f] for x in range(12)] for y in range(12)]
            for f in range(2)
        ]
    )
    largest_FHW = np.array(
        [
            [[maps_FHW[f, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].max() for x in range(6)] for y in range(6)]
            for f in range(2)
        ]
    )
    flat = [max(float(value), 0.0) for value in largest_FHW.ravel()]
    weight, offset = (one.detach().numpy() for one in first.parameters())
    by_hand_H = [
        max(sum(w * x for w, x in zip(row, flat, strict=True)) + b, 0.0) for row, b in zip(weight, offset, strict=True)
    ]
    return Measured(
        {
            "convolution": _apart(by_hand_FHW, maps_FHW.numpy()), "pooling": _apart(largest_FHW, pooled_FHW.numpy()),
            "perceptron": _apart(by_hand_H, hidden_H),
        }
    )  # fmt: skip


def siamese(bench: Bench) -> Measured:
    """Compare the Siamese network's likeness with eq. 1 of system B."""
    from glassline.models.settings import NetworkSettings
    from glassline.models.triplet import build_siamese

    torch.manual_seed(bench.seed)
    model = build_siamese(32, 0, 2, NetworkSettings()).eval()
    one_BE, other_BE = torch.rand(2, 8, model.settings.width)
    with torch.no_grad():
        ours_B = torch.sigmoid(model.same(one_BE, other_BE)).numpy()
    alpha_E, bias = model.alpha.weight[0].tolist(), float(model.alpha.bias.detach())
    by_hand_B = [
        1
        / (
            1
            + np.exp(-sum(a * abs(x - y) for a, x, y in zip(alpha_E, one.tolist(), other.tolist(), strict=True)) - bias)
        )
        for one, other in zip(one_BE, other_BE, strict=True)
    ]
    return Measured({"likeness": _apart(by_hand_B, ours_B)})


def triplet(bench: Bench) -> Measured:
    """Compare the triplet loss with eq. 4 of system B, by both readings of its exponent."""
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.reducers import MeanReducer

    points_BE = torch.from_numpy(np.random.default_rng(bench.seed).random((12, 4)))
    label_B, margin, values = torch.arange(12) % 3, 0.5, {}
    anchor_T, positive_T, negative_T = (
        torch.tensor(one)
        for one in zip(
            *[
                (a, p, n) for a in range(12) for p in range(12) for n in range(12)
                if a != p and label_B[a] == label_B[p] != label_B[n]
            ], strict=True,
        )
    )  # fmt: skip
    for name, power in (("plain distance", 1), ("squared distance", 2)):
        loss = TripletMarginLoss(
            margin, distance=LpDistance(normalize_embeddings=False, p=2, power=power), reducer=MeanReducer()
        )
        ours = float(loss(points_BE, label_B, (anchor_T, positive_T, negative_T)))
        apart_BB = (((points_BE[:, None] - points_BE) ** 2).sum(dim=2).numpy()) ** (power / 2)
        told = [
            max(apart_BB[a, p] - apart_BB[a, n] + margin, 0)
            for a, p, n in zip(anchor_T.tolist(), positive_T.tolist(), negative_T.tolist(), strict=True)
        ]
        values[name] = abs(ours - sum(told) / len(told))
    return Measured(values)


def space_to_depth(bench: Bench) -> Measured:
    """Compare space to depth with the printed indices, eq. 1 of system C."""
    from glassline.models.unet import space_to_depth as ours

    image = torch.from_numpy(np.random.default_rng(bench.seed).random((1, 2, 8, 6)))
    stacked, q = ours(image, 2)[0].numpy(), 2
    by_hand = [
        [[float(image[0, k // q**2, q * i + k % q, q * j + (k // q) % q]) for j in range(3)] for i in range(4)]
        for k in range(8)
    ]
    return Measured({"difference": _apart(by_hand, stacked)})


def autoencoder(bench: Bench) -> Measured:
    """Compare the auto-encoder loss with eq. 2 to 4 of system C, by both readings of eq. 2."""
    from glassline.models.unet import compress
    from glassline.training.losses.autoencoder import AutoEncoderLoss

    generator = torch.Generator().manual_seed(bench.seed)
    sigmas_BSHW = 300 * torch.rand(1, 3, 8, 8, generator=generator)
    scratch_BHW = (torch.rand(1, 8, 8, generator=generator) > 0.8).float()
    scales = [torch.randn(1, edge, edge, generator=generator) for edge in (8, 4, 2)]
    bright_HW = compress(sigmas_BSHW)[0].amax(dim=0).clamp(0, 1).numpy()
    values = {}
    for name, reading in (("as its text", "text"), ("as printed", "printed")):
        loss, total = AutoEncoderLoss(0.7, "text" if reading == "text" else "printed"), 0.0
        for scale in scales:
            edge, of_scale = scale.shape[-1], 0.0
            step = 8 // edge
            for y in range(edge):
                for x in range(edge):
                    at = slice(y * step, (y + 1) * step), slice(x * step, (x + 1) * step)
                    scratched, bright = bool(scratch_BHW[0].numpy()[at].max()), float(bright_HW[at].max())
                    wanted = (1.0 if scratched else -bright) if reading == "text" else (bright if scratched else 1.0)
                    given = float(np.tanh(float(scale[0, y, x])))
                    of_scale += 0.7 * max(given - wanted, 0) ** 2 + 0.3 * max(wanted - given, 0) ** 2
            total += of_scale / edge**2
        values[name] = abs(float(loss(scales, scratch_BHW, sigmas_BSHW)) - total)
    return Measured(values)


def _apart(one: object, other: object) -> float:
    """Return the largest difference of two arrays."""
    return float(np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).max())

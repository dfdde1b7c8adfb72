"""U-Net with nested weights: every encoder convolution is a leading slice of one shared pool.

Source: Turko 2021 (system C of the reading), sections 5.1 to 5.3, Fig. 7 to 9, eq. 1. The paper does not give the
form of the up-convolutions: 3 x 3, stride 2, to the width of the level they lead to, makes its two counts.
Shapes: B patches, S light states, H x W pixels, q the block's edge, C features.
"""

import math
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Convolutions and features of each encoder level, features of each decoder level (section 5.1).
CONVOLUTIONS = (2, 2, 3, 3, 4, 5)
ENCODER = (96, 128, 196, 256, 512, 768)
DECODER = (192, 96, 48, 24, 8)
#: Scales that the loss looks at (section 5.4).
SCALES = 3
#: Each level but the first halves the map.
DEEPEST = 2 ** (len(ENCODER) - 1)
_LEAST_FEATURES = 4
#: Sigmas of the noise that become 1: what saturates 12 bit lies there.
_BRIGHTEST_SIGMA = 1000.0


def compress(sigmas: Tensor) -> Tensor:
    """Return levels in sigmas of the noise as their logarithm: 0 at the background, 1 at 1000 sigmas, odd.

    Twelve bit from the noise to saturation span three decades; as they are, a faint scratch would be no more than
    rounding beside a grain of dust. Ratios between light states, by which scratches are told from dust, become
    differences.
    """
    return torch.sign(sigmas) * torch.log1p(sigmas.abs()) * (1 / math.log1p(_BRIGHTEST_SIGMA))


def space_to_depth(frames_BSHW: Tensor, block_px: int) -> Tensor:
    """Stack the shifted grids of an image into channels, eq. 1: the row's offset runs fastest, then the column's.

    Returns:
        (B, q * q * S, H / q, W / q); channel k holds state k // q^2 at row offset k % q and column offset (k // q) % q.
    """
    batch, states, height, width = frames_BSHW.shape
    blocks = frames_BSHW.reshape(batch, states, height // block_px, block_px, width // block_px, block_px)
    stacked = blocks.permute(0, 1, 5, 3, 2, 4)
    return stacked.reshape(batch, states * block_px**2, height // block_px, width // block_px)


class NestedPool(nn.Module):
    """The one pool of weights that encoder convolutions slice."""

    def __init__(self, features: int) -> None:
        """Draw a pool of `features` x `features` kernels of 3 x 3."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, features, 3, 3))

    def slice(self, inputs: int, outputs: int) -> Tensor:
        """Return the leading (outputs, inputs, 3, 3)."""
        return self.weight[:outputs, :inputs]


class Block(nn.Module):
    """Convolution 3 x 3 beside a shortcut 1 x 1 with its own weights, then ELU (Fig. 9)."""

    def __init__(self, inputs: int, outputs: int, pool: NestedPool | None = None) -> None:
        """Convolve with own weights, or with a slice of `pool`."""
        super().__init__()
        self.inputs, self.outputs = inputs, outputs
        # Not a submodule here: the network owns the pool, every block only looks at it.
        self._pool: Callable[[int, int], Tensor] | None = pool.slice if pool else None
        if pool is None:
            self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def kernel(self) -> Tensor:
        """Return the convolution's weights (outputs, inputs, 3, 3): its own, or the pool's slice."""
        return self._pool(self.inputs, self.outputs) if self._pool else cast(Tensor, self.weight)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return (B, outputs, H, W)."""
        convolved = functional.conv2d(x_BCHW, self.kernel(), self.bias, padding=1)
        return functional.elu(convolved + self.shortcut(x_BCHW))


class Up(nn.Module):
    """One decoder level: twice as large, joined with the encoder's features, two blocks."""

    def __init__(self, inputs: int, skipped: int, outputs: int) -> None:
        """Lead `inputs` features and `skipped` ones of the encoder to `outputs`."""
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
        self.blocks = nn.Sequential(Block(outputs + skipped, outputs), Block(outputs, outputs))

    def forward(self, x_BCHW: Tensor, skipped_BCHW: Tensor) -> Tensor:
        """Return (B, outputs, 2 H, 2 W)."""
        return cast(Tensor, self.blocks(torch.cat([self.enlarge(x_BCHW), skipped_BCHW], dim=1)))


class NestedUnet(nn.Module):
    """The paper's network; `nested=False` gives every convolution its own weights."""

    def __init__(self, states: int, width: float = 1.0, nested: bool = True, block_px: int = 2) -> None:
        """Build it.

        Args:
            states: Light states of the input.
            width: Factor on every level's features.
            nested: Whether encoder convolutions but the first two share one pool.
            block_px: Edge of the blocks of space to depth.
        """
        super().__init__()
        self.block_px = block_px
        encoder, decoder = ([max(_LEAST_FEATURES, round(width * one)) for one in all_] for all_ in (ENCODER, DECODER))
        self.pool = NestedPool(max(encoder)) if nested else None
        self.down = nn.ModuleList()
        inputs = states * block_px**2
        for level, (count, outputs) in enumerate(zip(CONVOLUTIONS, encoder, strict=True)):
            pool = self.pool if level else None
            widths = [inputs] + [outputs] * (count - 1)
            self.down.append(nn.Sequential(*(Block(one, outputs, pool) for one in widths)))
            inputs = outputs
        skips = encoder[-2::-1]
        fed = [encoder[-1], *decoder[:-1]]
        self.up = nn.ModuleList(Up(*of) for of in zip(fed, skips, decoder, strict=True))
        self.heads = nn.ModuleList(nn.Conv2d(features, 1, 1) for features in decoder[: -SCALES - 1 : -1])
        self.apply(_xavier)

    def forward(self, sigmas_BSHW: Tensor) -> list[Tensor]:
        """Return the output before its activation at three scales, the finest first.

        Args:
            sigmas_BSHW: Levels above the background in sigmas of the noise; H and W multiples of 32 q.

        Returns:
            (B, H / q, W / q), (B, H / 2 q, W / 2 q), (B, H / 4 q, W / 4 q).
        """
        x_BCHW = space_to_depth(compress(sigmas_BSHW), self.block_px)
        levels: list[Tensor] = []
        for number, down in enumerate(self.down):
            x_BCHW = down(functional.max_pool2d(x_BCHW, 2) if number else x_BCHW)
            levels.append(x_BCHW)
        scales: list[Tensor] = []
        for up, skipped_BCHW in zip(self.up, levels[-2::-1], strict=True):
            x_BCHW = up(x_BCHW, skipped_BCHW)
            scales.append(x_BCHW)
        finest_first: Sequence[Tensor] = scales[: -SCALES - 1 : -1]
        return [head(scale).squeeze(1) for head, scale in zip(self.heads, finest_first, strict=True)]


def _xavier(part: nn.Module) -> None:
    """Initialise as published: uniform Xavier of magnitude 3, which is torch's with gain 1; biases 0."""
    weight = getattr(part, "weight", None)
    if isinstance(weight, nn.Parameter) and weight.dim() == 4:
        nn.init.xavier_uniform_(weight)
    bias = getattr(part, "bias", None)
    if isinstance(bias, nn.Parameter):
        nn.init.zeros_(bias)

"""Multi-layer perceptron on pixels: the baseline that system A claims to beat by 10 points.

Source: system A of the reading, section 4.1 and Fig. 2. The paper gives no widths: the perceptron of its
CNN (128-64-C) directly on pixels is our reading.
Shapes: B patches, H x W pixels, M metadata values, C classes.
"""

from typing import cast

from torch import Tensor, nn

from glassline.models.cnn import ScalePatch, perceptron
from glassline.models.settings import NetworkSettings


class Mlp(nn.Module):
    """Perceptron over the pixels of one patch; looks at no metadata."""

    def __init__(self, patch_px: int, classes: int) -> None:
        """Build it for square patches of `patch_px` and `classes` outputs."""
        super().__init__()
        self.scale = ScalePatch()
        self.head = perceptron(patch_px * patch_px, classes)

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return the activations before the last layer (B, 64)."""
        return cast(Tensor, self.head[:-1](self.scale(patch_BHW).flatten(1)))

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return logits (B, C); grey levels in [0, 255]."""
        return cast(Tensor, self.head[-1](self.embed(patch_BHW, metadata_BM)))


def build_mlp(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> Mlp:
    """Build the perceptron; it has no convolution, so `settings` and `metadata` change nothing."""
    return Mlp(patch_px, classes)

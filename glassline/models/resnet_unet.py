"""U-Net on a ResNet-34: the paper's second row, from a library.

Source: Turko 2021, Table 1, model 2; segmentation-models-pytorch's Unet, without pretrained weights.
Shapes: B patches, S light states, H x W pixels, q the block's edge.
"""

from typing import cast

import segmentation_models_pytorch as smp
from torch import Tensor, nn
from torch.nn import functional

from glassline.models.unet import SCALES, compress, space_to_depth


class ResnetUnet(nn.Module):
    """The library's network behind the same input and output as `NestedUnet`."""

    def __init__(self, states: int, block_px: int = 2) -> None:
        """Build it for `states` light states."""
        super().__init__()
        self.block_px = block_px
        self.network = smp.Unet("resnet34", encoder_weights=None, in_channels=states * block_px**2, classes=1)

    def forward(self, sigmas_BSHW: Tensor) -> list[Tensor]:
        """Return the output before its activation at three scales, the finest first; see `NestedUnet.forward`.

        The library's decoder has one output: the coarser scales are its means.
        """
        finest_B1HW = cast(Tensor, self.network(space_to_depth(compress(sigmas_BSHW), self.block_px)))
        return [functional.avg_pool2d(finest_B1HW, 2**scale).squeeze(1) for scale in range(SCALES)]

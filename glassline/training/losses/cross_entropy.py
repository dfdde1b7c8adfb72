"""Cross-entropy on sigmoid outputs at three scales: the paper's third row.

Source: Turko 2021, section 5.4: it needs at least 15 % of patches with scratches to converge.
Shapes: B patches, S light states, H x W pixels, h x w pixels of a scale's output.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class CrossEntropyLoss(nn.Module):
    """Binary cross-entropy, mean over pixels, summed over scales."""

    def forward(self, scales: list[Tensor], scratch_BHW: Tensor, sigmas_BSHW: Tensor) -> Tensor:
        """Return the scalar loss; see `AutoEncoderLoss.forward`."""
        losses = [
            functional.binary_cross_entropy_with_logits(
                output_BHW, functional.adaptive_max_pool2d(scratch_BHW.float(), output_BHW.shape[-2:])
            )
            for output_BHW in scales
        ]
        return torch.stack(losses).sum()

    def score(self, output_BHW: Tensor) -> Tensor:
        """Return the likeness to a scratch in [0, 1]."""
        return output_BHW.sigmoid()

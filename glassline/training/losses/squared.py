"""Plain squared error on the mask: the loss that the paper saw collapse (Fig. 10).

Source: Turko 2021, section 5.4 ("conventional L2").
Shapes: B patches, S light states, H x W pixels, h x w pixels of a scale's output.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class SquaredLoss(nn.Module):
    """(tanh output - mask)^2, mean over pixels, summed over scales."""

    def forward(self, scales: list[Tensor], scratch_BHW: Tensor, sigmas_BSHW: Tensor) -> Tensor:
        """Return the scalar loss; see `AutoEncoderLoss.forward`."""
        losses = [
            functional.mse_loss(
                torch.tanh(output_BHW), functional.adaptive_max_pool2d(scratch_BHW.float(), output_BHW.shape[-2:])
            )
            for output_BHW in scales
        ]
        return torch.stack(losses).sum()

    def score(self, output_BHW: Tensor) -> Tensor:
        """Return the likeness to a scratch in [0, 1]."""
        return torch.tanh(output_BHW).clamp(0, 1)

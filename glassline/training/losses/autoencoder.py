"""Auto-encoder loss: find scratches, and restore everything else with the inverse sign.

Source: Turko 2021, section 5.4, eq. 2 to 4. Eq. 2 as printed (1 where gt = 0, max I where gt = 1) contradicts its own
text ("everything except scratches was restored with an inverse sign") and the thresholds of section 5.5: the text's
reading is built, the printed one is there to compare.
Shapes: B patches, S light states, H x W pixels, h x w pixels of a scale's output.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassline.models.unet import compress


class AutoEncoderLoss(nn.Module):
    """alpha * fp + (1 - alpha) * fn on tanh outputs, summed over scales."""

    def __init__(self, alpha: float = 0.7, target: Literal["text", "printed"] = "text") -> None:
        """Weigh what is too high by `alpha`, what is too low by 1 - alpha."""
        super().__init__()
        self.alpha, self.target = alpha, target

    def forward(self, scales: list[Tensor], scratch_BHW: Tensor, sigmas_BSHW: Tensor) -> Tensor:
        """Return the scalar loss.

        Args:
            scales: Outputs (B, h, w) before tanh, the finest first.
            scratch_BHW: 1 on a scratch, else 0.
            sigmas_BSHW: The input: levels above the background in sigmas of the noise.
        """
        brightest_BHW = compress(sigmas_BSHW).amax(dim=1).clamp(0, 1)
        losses = [
            self.of_scale(torch.tanh(output_BHW), self.restored(scratch_BHW, brightest_BHW, output_BHW.shape[-2:]))
            for output_BHW in scales
        ]
        return torch.stack(losses).sum()

    def restored(self, scratch_BHW: Tensor, brightest_BHW: Tensor, size_px: Sequence[int]) -> Tensor:
        """Return the target (B, h, w) in [-1, 1], eq. 2: both maps by their maximum over the pixels of an output."""
        scratch_Bhw, brightest_Bhw = (
            functional.adaptive_max_pool2d(map_BHW.float(), tuple(size_px)) for map_BHW in (scratch_BHW, brightest_BHW)
        )
        if self.target == "printed":
            return torch.where(scratch_Bhw > 0, brightest_Bhw, 1.0)
        return torch.where(scratch_Bhw > 0, 1.0, -brightest_Bhw)

    def of_scale(self, y_Bhw: Tensor, target_Bhw: Tensor) -> Tensor:
        """Return the loss of one scale, eq. 3, as the mean over pixels; both in [-1, 1]."""
        over = (y_Bhw - target_Bhw).clamp(min=0).square()  # false positives
        under = (target_Bhw - y_Bhw).clamp(min=0).square()  # false negatives
        return (self.alpha * over + (1 - self.alpha) * under).mean()

    def score(self, output_BHW: Tensor) -> Tensor:
        """Return the likeness to a scratch in [0, 1]; under the printed target scratches lie below the rest."""
        y_BHW = torch.tanh(output_BHW)
        return (1 - y_BHW).clamp(0, 1) if self.target == "printed" else y_BHW.clamp(0, 1)

"""Losses of the segmentation networks by name.

Each is a module: `forward(scales, scratch_BHW, sigmas_BSHW)` gives the scalar loss and `score(output_BHW)` the likeness
to a scratch, 0 to 1. Add a loss: one file, one entry in LOSSES, its
name in `LossSettings.name`.
"""

from collections.abc import Callable

from torch import nn

from glassline.training.losses.autoencoder import AutoEncoderLoss
from glassline.training.losses.cross_entropy import CrossEntropyLoss
from glassline.training.losses.squared import SquaredLoss
from glassline.training.settings import LossSettings

LOSSES: dict[str, Callable[[LossSettings], nn.Module]] = {
    "autoencoder": lambda settings: AutoEncoderLoss(settings.alpha, settings.target),
    "cross_entropy": lambda settings: CrossEntropyLoss(),
    "squared": lambda settings: SquaredLoss(),
}


def build_loss(settings: LossSettings) -> nn.Module:
    """Build the loss that settings name."""
    return LOSSES[settings.name](settings)

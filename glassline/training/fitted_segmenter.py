"""A fitted segmentation network: run it, write it, read it. Weights as safetensors, the rest as JSON; no pickles.

Shapes: B patches, S light states, H x W pixels, q the block's edge.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pandas as pd
from torch import Tensor, nn

from glassline.data.captures.zone_format import ZoneFormat
from glassline.models.segmenters import build_segmenter
from glassline.training.losses import build_loss
from glassline.training.saved_network import read_network, save_network
from glassline.training.settings import SegmentationSettings


@dataclass(frozen=True)
class FittedSegmenter:
    """A network, the loss that says what its output means, and the zones that it reads."""

    model: nn.Module
    loss: nn.Module
    settings: SegmentationSettings
    format: ZoneFormat
    history: pd.DataFrame = field(default_factory=pd.DataFrame)

    def with_history(self, history: pd.DataFrame) -> "FittedSegmenter":
        """Return the same with the record of its fit."""
        return replace(self, history=history)


class ScoreGraph(nn.Module):
    """What is run and exported: sigmas in, likeness to a scratch out."""

    def __init__(self, fitted: FittedSegmenter) -> None:
        """Wrap a fitted network."""
        super().__init__()
        self.model, self.loss = fitted.model, fitted.loss

    def forward(self, sigmas: Tensor) -> Tensor:
        """Return (B, H / q, W / q) in [0, 1] of (B, S, H, W); H and W multiples of 32 q."""
        return cast(Tensor, self.loss.score(self.model(sigmas)[0]))  # type: ignore[operator]


def save_segmenter(fitted: FittedSegmenter, folder: str | Path) -> None:
    """Write a fitted network as a folder, whole or not at all."""
    about = {"settings": fitted.settings.model_dump(), "format": fitted.format.model_dump()}
    save_network(folder, fitted.model, about, fitted.history)


def load_segmenter(folder: str | Path) -> FittedSegmenter:
    """Read a fitted network in evaluation mode on the CPU.

    Raises:
        ModelError: The folder holds no whole model; names what is missing.
    """
    saved = read_network(folder, "train_unet")
    settings, of = SegmentationSettings.parse(saved.about["settings"]), ZoneFormat.parse(saved.about["format"])
    model = build_segmenter(1 if settings.direction_blind else of.states, settings.unet)
    return FittedSegmenter(saved.restore(model), build_loss(settings.loss), settings, of, saved.history)

"""A fitted segmentation network: run it, write it, read it. Weights as safetensors, the rest as JSON; no pickles.

Shapes: B patches, S light states, H x W pixels, q the block's edge.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pandas as pd
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glassline.data.captures.zone_format import ZoneFormat
from glassline.data.storage import written_whole
from glassline.errors import ModelError
from glassline.models.segmenters import build_segmenter
from glassline.training.losses import build_loss
from glassline.training.settings import SegmentationSettings

_WEIGHTS, _MODEL, _HISTORY = "model.safetensors", "model.json", "history.csv"


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
    with written_whole(folder) as beside:
        beside.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in fitted.model.state_dict().items()}, beside / _WEIGHTS)
        fitted.history.to_csv(beside / _HISTORY, index=False)
        about = {"settings": fitted.settings.model_dump(), "format": fitted.format.model_dump()}
        (beside / _MODEL).write_text(json.dumps(about, indent=2))


def load_segmenter(folder: str | Path) -> FittedSegmenter:
    """Read a fitted network in evaluation mode on the CPU.

    Raises:
        ModelError: The folder holds no whole model; names what is missing.
    """
    folder = Path(folder)
    missing = [name for name in (_WEIGHTS, _MODEL, _HISTORY) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder} must hold a trained network, missing: {missing}; run train_unet again")
    about = json.loads((folder / _MODEL).read_text())
    settings, of = SegmentationSettings.parse(about["settings"]), ZoneFormat.parse(about["format"])
    model = build_segmenter(1 if settings.direction_blind else of.states, settings.unet)
    model.load_state_dict(load_file(folder / _WEIGHTS))
    try:
        history = pd.read_csv(folder / _HISTORY)
    except pd.errors.EmptyDataError:  # resumed after the last epoch
        history = pd.DataFrame()
    return FittedSegmenter(model.eval(), build_loss(settings.loss), settings, of, history)

"""What fits on patches of annotated images or zones share: their steps, no group on both sides, a name."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from glassline.data.storage import code_hash, content_key
from glassline.errors import DataError
from glassline.training.settings import ImageFitSettings, SegmentationSettings
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.labelled_zones import LabelledZones

Batch = Any
#: Batches that the validation loss is the mean of.
VALIDATION_BATCHES = 8


class PatchTask(lightning.LightningModule, ABC):
    """Base of the tasks: a model and its steps; `loss` and optimiser are the task's own."""

    def __init__(self, model: nn.Module, settings: ImageFitSettings | SegmentationSettings, steps: int) -> None:
        """Wrap a model; `steps` is the number of optimiser steps of the whole fit."""
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings, self.steps = settings, steps

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of one batch."""

    def on_fit_start(self) -> None:
        """Take the threads of the settings: a spawned process starts with its own."""
        if self.settings.threads:
            torch.set_num_threads(self.settings.threads)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of one batch."""
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=rows(batch), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log the loss of one batch."""
        self.log("val_loss", self.loss(batch), batch_size=rows(batch), sync_dist=True)


class ImageTask(PatchTask):
    """Base of the tasks on annotated images: AdamW."""

    settings: ImageFitSettings

    def configure_optimizers(self) -> Any:
        """Return AdamW under a one-cycle schedule stepped every batch."""
        chosen = self.settings
        optimiser = torch.optim.AdamW(self.model.parameters(), chosen.learning_rate, weight_decay=chosen.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, chosen.learning_rate, total_steps=self.steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rows(batch: Batch) -> int:
    """Return how many patches a batch holds."""
    return len(next(iter(batch.values())))


def refuse_torn_groups(
    images: AnnotatedImages | LabelledZones, train: Sequence[int], validation: Sequence[int], group: str = "group"
) -> None:
    """Check that no group is both trained and validated on.

    Args:
        images: The images or zones.
        train: Numbers of those that are trained on.
        validation: Numbers of those that a loss is shown of.
        group: What a group is, for the error.

    Raises:
        DataError: One is; names it.
    """
    torn = {images.groups[number] for number in train} & {images.groups[number] for number in validation}
    if torn:
        raise DataError(
            f"a {group} must be trained or validated on, not both, got {sorted(torn)[:5]}; split by {group}"
        )


def fit_key(
    images: AnnotatedImages, train: Sequence[int], settings: ImageFitSettings, seed: int,
    beside: Any = None,
) -> str:  # fmt: skip
    """Return the name of a fit: equal for one content, settings, seed and code.

    Args:
        images: The table's images, as they are read.
        train: Numbers of those that are trained on.
        settings: How.
        seed: Seed of the fit.
        beside: What else is trained on, as JSON has it.
    """
    what = [
        [(images.images[number], images.hashes[number], images.truth_hash(number)) for number in train],
        [images.types, images.colour, images.depth_window, images.light_state], beside,
        settings.model_dump(), seed, code_hash("models", "training", "vision", "data"),
    ]  # fmt: skip
    return content_key(what)

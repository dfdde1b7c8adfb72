"""What fits of a transfer network share: SGD with momentum, augmented batches, as many rows of each class.

Source: system D of the reading, section 3.1: "augmented data are collected into batches", "Stochastic Gradient Descent
(SGD) with momentum". Which augmentation is not printed: flips, quarter turns, gain and offset are ours.
Shapes: B patches, H x W pixels (square), C classes, N rows.
"""

from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassline.models.backbone import TransferNetwork
from glassline.training.batch_statistics import BATCHES, settle_statistics
from glassline.training.classifier_task import ClassifierTask
from glassline.training.data import Batch, LabelledPatches, batches
from glassline.training.settings import TrainingSettings
from glassline.training.sharing import process

# Largest change of contrast, as a share, and of brightness, in grey levels.
_GAIN, _OFFSET = 0.2, 20.0


class TransferTask(ClassifierTask):
    """Cross-entropy on augmented batches that hold as many rows of each class; SGD under a one-cycle schedule."""

    even_weight_C: Tensor

    model: TransferNetwork
    draws_alike = True

    def __init__(
        self, model: TransferNetwork, weight_C: Tensor, train: LabelledPatches, settings: TrainingSettings, steps: int,
        seed: int,
    ) -> None:  # fmt: skip
        """Wrap a model; see `Task`.

        Args:
            model: The network.
            weight_C: Weight of each class in rows as they are (C,).
            train: Rows to train on.
            settings: How to train.
            steps: Optimiser steps of the whole fit.
            seed: Seed of what is drawn.
        """
        super().__init__(model, weight_C, settings, steps, seed)
        self.train_rows, labels_N = train, train.labels_N
        # In even batches a class is met once in C instead of by its frequency: the weights keep what they mean.
        share_C = torch.from_numpy(np.bincount(labels_N, minlength=len(weight_C)) / len(labels_N)).float()
        self.register_buffer("even_weight_C", weight_C * share_C * (share_C > 0).sum())

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of one batch, augmented."""
        logits_BC = self.model(augmented(batch["patch_BHW"].float()), batch["metadata_BM"])
        loss = self.loss(logits_BC, batch["label_B"], self.even_weight_C)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["label_B"]), sync_dist=True)
        return loss

    def on_validation_start(self) -> None:
        """Settle before every validation: after one epoch of a random network the running means were of no use."""
        settle(self.model, self.train_rows, self.settings, self.seed)

    def configure_optimizers(self) -> Any:
        """Return SGD with momentum under a one-cycle schedule stepped every batch."""
        chosen, rate = self.settings, self.settings.sgd.learning_rate
        optimiser = torch.optim.SGD(
            self.model.parameters(), rate, momentum=chosen.sgd.momentum, weight_decay=chosen.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, rate, total_steps=self.steps, cycle_momentum=False
        )  # fmt: skip
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def augmented(patch_BHW: Tensor) -> Tensor:
    """Return patches flipped and turned by quarters at random, brighter or darker, with more or less contrast.

    Args:
        patch_BHW: Grey levels in [0, 255], square.

    Returns:
        The same shape and range.
    """
    rank, processes = process()
    size, device = len(patch_BHW) * processes, patch_BHW.device
    # Drawn on the CPU and for the whole batch, so that any device and any number of them give the same draw.
    turned_B = torch.randint(8, (size,))[rank::processes].to(device).view(-1, 1, 1)
    patch_BHW = torch.where(turned_B & 1 > 0, patch_BHW.flip(1), patch_BHW)
    patch_BHW = torch.where(turned_B & 2 > 0, patch_BHW.flip(2), patch_BHW)
    patch_BHW = torch.where(turned_B & 4 > 0, patch_BHW.transpose(1, 2), patch_BHW)
    gain_B, offset_B = (torch.rand(2, size, 1, 1)[:, rank::processes].to(device) * 2 - 1).unbind()
    middle_B = patch_BHW.mean(dim=(1, 2), keepdim=True)
    stretched_BHW = (patch_BHW - middle_B) * (1 + _GAIN * gain_B) + middle_B + _OFFSET * offset_B
    return stretched_BHW.clamp(0, 255)


def settle(model: TransferNetwork, train: LabelledPatches, settings: TrainingSettings, seed: int) -> None:
    """Measure the statistics of batch normalisation anew on some batches that it was trained on, not augmented."""
    loader = batches(train, settings.batch_size, 0, shuffle_seed=seed, even=True)
    settle_statistics(model.image, (batch["patch_BHW"].float() for batch in islice(loader, BATCHES)))

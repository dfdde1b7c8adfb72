"""What every fit of a classifier shares: AdamW under a one-cycle schedule, and dropout that a resumed fit repeats.

Shapes: B rows of a batch.
"""

from typing import Any

import lightning
import numpy as np
import torch
from torch import nn

from glassline.training.data import Batch
from glassline.training.settings import TrainingSettings


class Task(lightning.LightningModule):
    """Base of the tasks: a model and its optimiser, without a loss."""

    #: Whether all processes of a fit draw the same, or each for its own rows.
    draws_alike = False

    def __init__(self, model: nn.Module, settings: TrainingSettings, steps: int, seed: int) -> None:
        """Wrap a model; `steps` is the number of optimiser steps of the whole fit, `seed` that of what is drawn."""
        super().__init__()
        # Twice as fast on a CPU for these narrow convolutions, and what tensor cores want on a GPU.
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings, self.steps, self.seed = settings, steps, seed

    def on_train_batch_start(self, batch: Batch, batch_index: int) -> None:
        """Seed what is drawn by seed, epoch and process, so that a resumed fit draws what an unbroken one does."""
        if batch_index:  # not on_train_epoch_start: Lightning skips that in the first epoch after resuming
            return
        if self.settings.threads:
            torch.set_num_threads(self.settings.threads)
        rank = 0 if self.draws_alike else self.global_rank
        state = np.random.SeedSequence([self.seed, self.current_epoch, rank]).generate_state(1)
        torch.manual_seed(int(state[0]))

    def configure_optimizers(self) -> Any:
        """Return AdamW under a one-cycle schedule stepped every batch."""
        chosen = self.settings
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        optimiser = torch.optim.AdamW(weights, chosen.learning_rate, weight_decay=chosen.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, chosen.learning_rate, total_steps=self.steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

"""Lightning's trainer as every fit here uses it: resumes from its last epoch, stops on a loss that is no number."""

import logging
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from glassline.errors import ModelError
from glassline.training.history import History

# Lightning's banners about devices and tips are no news of ours.
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)


def run_trainer(
    task: lightning.LightningModule, train: Any, validation: Any, epochs: int, precision: Any, folder: Path,
    history: History, callbacks: Sequence[Callback] = (), devices: int = 1,
) -> None:  # fmt: skip
    """Fit a task in place; resume from `folder` when it holds an epoch.

    Args:
        task: Model, loss and optimiser.
        train: Batches to train on.
        validation: Batches to validate on after every epoch, or None.
        epochs: Epochs at most.
        precision: AMP mode.
        folder: Where checkpoints go.
        history: Record of the epochs.
        callbacks: Further ones, called before the last epoch is kept.
        devices: Processes of data-parallel training on one node.

    Raises:
        ModelError: The loss left the finite numbers.
    """
    last = folder / "last.ckpt"
    trainer = lightning.Trainer(
        max_epochs=epochs, callbacks=[history, *callbacks, checkpoint(last, None)], logger=False,
        enable_progress_bar=False, enable_model_summary=False, precision=precision, accelerator="auto",
        devices=devices, strategy="auto" if devices == 1 else "ddp_spawn",
        use_distributed_sampler=False, num_sanity_val_steps=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)  # between Lightning and newer torch
        warnings.filterwarnings("ignore", ".*(does not have many workers|have no `val_dataloader`)")
        warnings.filterwarnings("ignore", "You defined a `validation_step` but have no")  # folds have none
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # why we resume
        trainer.fit(
            task, train, validation, ckpt_path=str(last) if last.is_file() else None, weights_only=True
        )  # fmt: skip
    if devices > 1:
        history.recover(last)
    try:
        history.check()
    except ModelError:
        shutil.rmtree(folder)  # or the next try would resume from weights that are no numbers
        raise


def checkpoint(path: Path, monitor: str | None) -> ModelCheckpoint:
    """Keep the last epoch, or the best one by a metric, at a path."""
    return ModelCheckpoint(path.parent, path.stem, monitor=monitor, enable_version_counter=False)


def load_weights(task: lightning.LightningModule, path: Path) -> None:
    """Put the weights of a checkpoint into a task."""
    task.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])

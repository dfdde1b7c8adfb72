"""The one training loop: Lightning fits any model of the registry on rows of a sample table.

A killed fit resumes from its last epoch: checkpoints lie in a folder that is named by what is trained on
what, so that another data set or setting never continues it.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import Tensor, nn

from glassline.data.samples import SampleTable
from glassline.errors import DataError, ModelError
from glassline.models.ensemble import StackingEnsemble, StandardiseMetadata
from glassline.models.registry import PATCH_PX, build_model
from glassline.training.data import Batch, PatchDataset, batches
from glassline.training.fitted import Fitted
from glassline.training.settings import TrainingSettings
from glassline.training.stacking import fit_stack, stacking_rows

# Lightning's banners about devices and tips are no news of ours.
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)

EpochHook = Callable[[int, dict[str, float]], None]


class ClassifierTask(lightning.LightningModule):
    """Weighted cross-entropy on logits with AdamW and a one-cycle schedule."""

    def __init__(self, model: nn.Module, weight_C: Tensor, settings: TrainingSettings, steps: int) -> None:
        """Wrap a model; `steps` is the number of optimiser steps of the whole fit."""
        super().__init__()
        # Twice as fast on a CPU for these narrow convolutions, and what tensor cores want on a GPU.
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings, self.steps = settings, steps
        self.loss = nn.CrossEntropyLoss(weight=weight_C)

    def _loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        patch_BHW, metadata_BM, label_B = batch["patch_BHW"].float(), batch["metadata_BM"], batch["label_B"]
        if isinstance(self.model, StackingEnsemble):
            # Each branch learns alone; the stack is fitted afterwards on rows that neither has seen.
            image_BC, metadata_BC = self.model.opinions(patch_BHW, metadata_BM)
            return self.loss(image_BC, label_B) + self.loss(metadata_BC, label_B), image_BC + metadata_BC
        logits_BC = self.model(patch_BHW, metadata_BM)
        return self.loss(logits_BC, label_B), logits_BC

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of one batch."""
        loss, _ = self._loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["label_B"]))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log loss and accuracy of one batch."""
        loss, logits_BC = self._loss(batch)
        accuracy = (logits_BC.argmax(1) == batch["label_B"]).float().mean()
        size = len(batch["label_B"])
        self.log_dict({"val_loss": loss, "val_accuracy": accuracy}, batch_size=size, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Return AdamW under a one-cycle schedule stepped every batch."""
        chosen = self.settings
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        optimiser = torch.optim.AdamW(weights, chosen.learning_rate, weight_decay=chosen.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, chosen.learning_rate, total_steps=self.steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _History(Callback):
    """Keep every epoch's metrics, also over a resumed fit, and hand them to the hook."""

    def __init__(self, hook: EpochHook) -> None:
        self.hook = hook
        self.records: list[dict[str, float]] = []

    def state_dict(self) -> dict[str, Any]:
        return {"records": self.records}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.records = state_dict["records"]

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if not np.isfinite(values["train_loss"]):
            raise ModelError(
                f"train_loss must stay finite, got {values['train_loss']} in epoch {trainer.current_epoch}; "
                "lower training.learning_rate"
            )
        self.records.append({"epoch": trainer.current_epoch, **values})
        if trainer.is_global_zero:
            self.hook(trainer.current_epoch, values)


def fit_model(
    name: str,
    table: SampleTable,
    train_N: npt.NDArray[np.intp],
    validation_N: npt.NDArray[np.intp],
    settings: TrainingSettings,
    seed: int,
    checkpoints: Path,
    on_epoch: EpochHook,
) -> Fitted:
    """Train a model of the registry.

    Args:
        name: Model name.
        table: Table of patches.
        train_N: Row positions to train on, augmented copies included.
        validation_N: Row positions to validate on after every epoch; may be empty when patience is 0.
        settings: How to train.
        seed: Seed of initial weights, order and dropout.
        checkpoints: Folder for checkpoints; a fit of the same rows and settings resumes from there.
        on_epoch: Called with (epoch, metrics) after every epoch of this call.

    Returns:
        The fitted model on the CPU, in evaluation mode; after early stopping, the best epoch's weights.

    Raises:
        DataError: No training rows, one class only, or patience without validation rows.
        ModelError: The loss left the finite numbers.
    """
    attributes = table.attributes
    branches_N, held_N = (train_N, train_N[:0])
    if name == "ensemble_stacking":
        branches_N, held_N = stacking_rows(table, train_N, seed)
    train, validation = (
        PatchDataset(table, branches_N, attributes),
        PatchDataset(table, validation_N, attributes),
    )
    _check(train, validation, table, settings)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    lightning.seed_everything(seed, workers=True, verbose=False)
    model = build_model(name, PATCH_PX, len(attributes), len(table.classes), settings.cnn)
    for part in model.modules():
        if isinstance(part, StandardiseMetadata):
            part.fit(torch.from_numpy(train.metadata_NM))
    folder = checkpoints / _fit_key(name, table, branches_N, settings, seed)
    history = _History(on_epoch)
    _run(model, train, validation, table, settings, seed, folder, history)
    if isinstance(model, StackingEnsemble):
        fit_stack(model, PatchDataset(table, held_N, attributes))
    shutil.rmtree(folder, ignore_errors=True)
    return Fitted(
        name,
        model.cpu().eval(),
        table.classes,
        table.clean_class,
        tuple(attributes),
        settings,
        pd.DataFrame(history.records),
    )


def _run(
    model: nn.Module, train: PatchDataset, validation: PatchDataset, table: SampleTable,
    settings: TrainingSettings, seed: int, folder: Path, history: _History,
) -> None:  # fmt: skip
    """Fit in place; resume from `folder` when it holds an epoch."""
    steps = settings.epochs * -(-len(train) // (settings.batch_size * settings.devices))
    task = ClassifierTask(model, class_weights(train.labels_N, len(table.classes), settings), settings, steps)
    best = ModelCheckpoint(folder, "best", monitor="val_loss") if settings.patience else None
    callbacks: list[Callback] = [history, ModelCheckpoint(folder, "last", enable_version_counter=False)]
    if best:
        callbacks += [EarlyStopping("val_loss", patience=settings.patience), best]
    trainer = lightning.Trainer(
        max_epochs=settings.epochs, callbacks=callbacks, logger=False, enable_progress_bar=False,
        enable_model_summary=False, precision=settings.precision, devices=settings.devices,
        accelerator="auto", strategy="auto" if settings.devices == 1 else "ddp", num_sanity_val_steps=0,
    )  # fmt: skip
    last = folder / "last.ckpt"
    trainer.fit(
        task,
        batches(train, settings.batch_size, settings.workers, shuffle_seed=seed),
        batches(validation, settings.batch_size, settings.workers) if len(validation) else None,
        ckpt_path=str(last) if last.is_file() else None,
        weights_only=True,
    )
    if best and best.best_model_path:
        state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["state_dict"]
        task.load_state_dict(state)


def class_weights(labels_N: npt.NDArray[np.int64], classes: int, settings: TrainingSettings) -> Tensor:
    """Return one loss weight per class (C,), mean 1 over the training rows; absent classes weigh 0."""
    count_C = np.bincount(labels_N, minlength=classes).astype(np.float64)
    power = {"none": 0.0, "root": 0.5, "balanced": 1.0}[settings.class_weights]
    weight_C = np.where(count_C > 0, count_C.clip(min=1) ** -power, 0.0)
    return torch.tensor(weight_C * len(labels_N) / (weight_C * count_C).sum(), dtype=torch.float32)


def _check(train: PatchDataset, validation: PatchDataset, table: SampleTable, settings: TrainingSettings) -> None:
    present = np.unique(train.labels_N)
    if len(present) < 2:
        names = [table.classes[index] for index in present]
        raise DataError(f"training needs at least two classes, got {names}; add samples of another class")
    if settings.patience and not len(validation):
        raise DataError("training.patience > 0 needs validation rows, got none; set patience to 0 or hold a fold out")


def _fit_key(name: str, table: SampleTable, rows_N: npt.NDArray[np.intp], settings: TrainingSettings, seed: int) -> str:
    what = [
        name,
        table.content_hash(),
        hashlib.sha256(rows_N.tobytes()).hexdigest(),
        settings.model_dump(),
        seed,
    ]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:24]

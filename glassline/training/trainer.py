"""Lightning's trainer as every fit here uses it: resumes from its last epoch, stops on a loss that is no number."""

import logging
import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from glassline.data.store import Store
from glassline.errors import ModelError
from glassline.processes import agree, is_first, torchrun
from glassline.training.history import History, relayed
from glassline.training.shared_norm import WholeBatchNorm
from glassline.training.sharing import EndOnTerm, shared, wait_for_all, whole_group

#: Files of a fit: its last epoch, and the best one where it stops early.
LAST, BEST = "last.ckpt", "best.ckpt"

#: Least seconds from one sending of checkpoints to the next: an epoch of few rows takes less than the upload.
SEND_EVERY_S = 60.0

# Lightning's banners about devices and tips are no news of ours.
for _part in ("pytorch", "fabric"):
    logging.getLogger(f"lightning.{_part}").setLevel(logging.WARNING)


def run_trainer(
    task: lightning.LightningModule, train: Any, validation: Any, epochs: int, precision: Any, kept: Store,
    history: History, callbacks: Sequence[Callback] = (), devices: int = 1,
) -> None:  # fmt: skip
    """Fit a task in place; resume from `kept` when it holds an epoch.

    Several devices share every batch: as processes of torchrun where it started this one, or else spawned ones, never
    this program started again: a step inside Kubeflow's executor would otherwise run twice. See `sharing` for what
    differs from one process.

    Args:
        task: Model, loss and optimiser.
        train: Loader of batches to train on, as one process reads them.
        validation: The same to validate on after every epoch, or None.
        epochs: Epochs at most.
        precision: AMP mode.
        kept: Where checkpoints go after every epoch; to S3 once a minute, so that shorter fits never send any.
        history: Record of the epochs.
        callbacks: Further ones, called before the last epoch is kept.
        devices: Processes that share the batches.

    Raises:
        ModelError: The loss left the finite numbers, or another process of the fit ended.
        SettingsError: Processes of torchrun do not see the same checkpoints.
    """
    started, last = torchrun(), kept.found(LAST)
    agree(f"fit {kept.folder.name}, begun: {last is not None}", "give all nodes the same data, settings and store")
    of_torchrun = [EndOnTerm()] if started else []
    trainer = lightning.Trainer(
        max_epochs=epochs, callbacks=[history, *callbacks, Checkpoint(kept, LAST, None), *of_torchrun], logger=False,
        enable_progress_bar=False, enable_model_summary=False, precision=precision, accelerator="auto",
        devices=started.per_node if started else devices, num_nodes=started.nodes if started else 1,
        strategy="auto" if devices == 1 else "ddp" if started else "ddp_spawn",
        plugins=[WholeBatchNorm()] if devices > 1 else None, use_distributed_sampler=False, num_sanity_val_steps=0,
    )  # fmt: skip
    if devices > 1:
        train, validation = shared(train), validation and shared(validation)
    spawns = devices > 1 and not started
    with warnings.catch_warnings(), relayed(history.hook) if spawns else nullcontext(history.hook) as history.hook:
        warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)  # between Lightning and newer torch
        warnings.filterwarnings("ignore", ".*(does not have many workers|have no `val_dataloader`)")
        warnings.filterwarnings("ignore", "You defined a `validation_step` but have no")  # folds have none
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # why we resume
        with whole_group():
            trainer.fit(task, train, validation, ckpt_path=str(last) if last else None, weights_only=True)
    if spawns:
        history.recover(kept.folder / LAST)
    try:
        history.check()
    except ModelError:
        forget(kept)  # or the next try would resume from weights that are no numbers
        raise


def forget(kept: Store) -> None:
    """Delete the checkpoints of a fit, once no process reads them any more."""
    wait_for_all()
    if is_first():
        kept.forget()


class Checkpoint(ModelCheckpoint):
    """The last epoch, or the best one by a metric, in a store.

    A fit may be resumed on another machine, where the store's files lie in another folder.
    """

    def __init__(self, kept: Store, name: str, monitor: str | None) -> None:
        """Keep LAST without a metric to monitor, or BEST."""
        super().__init__(kept.folder, name.removesuffix(".ckpt"), monitor=monitor, enable_version_counter=False)
        self._kept, self._name, self._sent_s = kept, name, time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the epoch; send both files when it is the last and they were not sent lately."""
        super().on_train_epoch_end(trainer, pl_module)
        if self._name == LAST and trainer.is_global_zero and time.monotonic() - self._sent_s >= SEND_EVERY_S:
            # The best before the last: a fit killed between the two repeats the epoch and finds the same best.
            for name in (BEST, LAST):
                if (self._kept.folder / name).is_file():
                    self._kept.send(name)
            self._sent_s = time.monotonic()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue what a checkpoint tells of the best epoch, wherever it was written."""
        told = {**state_dict, "dirpath": self.dirpath}
        for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
            told[name] = self._here(state_dict[name])
        told["best_k_models"] = {self._here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(told)

    def _here(self, path: str) -> str:
        return str(self._kept.folder / Path(path).name) if path else ""


def load_weights(task: lightning.LightningModule, path: Path) -> None:
    """Put the weights of a checkpoint into a task."""
    task.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])

"""The record of a fit: every epoch's metrics, kept over a resumed fit and handed on as they come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from glassline.training.failed_fit import FailedFitError

EpochHook = Callable[[int, dict[str, float]], None]


class History(Callback):
    """Keep every epoch's metrics, hand them to the hook, and stop a fit whose loss is no number."""

    def __init__(self, hook: EpochHook) -> None:
        """Start empty; `hook` is called with (epoch, metrics) in the first process."""
        self.hook = hook
        self.records: list[dict[str, float]] = []

    @property
    def state_key(self) -> str:
        """Name of this state in a checkpoint."""
        return "history"

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"records": self.records}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue what a checkpoint kept."""
        self.records = state_dict["records"]

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Record the epoch."""
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.records.append({"epoch": trainer.current_epoch, **values})
        if not np.isfinite(values["train_loss"]):
            trainer.should_stop = True  # `check` raises in the process that started the fit
        elif trainer.is_global_zero:
            self.hook(trainer.current_epoch, values)

    def recover(self, checkpoint: Path) -> None:
        """Read the records that other processes kept in a checkpoint."""
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        self.load_state_dict(state["callbacks"][self.state_key])

    def check(self) -> None:
        """Refuse a fit that left the finite numbers.

        Raises:
            FailedFitError: The training loss of the last epoch is infinite or NaN.
        """
        last = self.records[-1]
        if not np.isfinite(last["train_loss"]):
            raise FailedFitError(
                f"train_loss must stay finite, got {last['train_loss']} in epoch {last['epoch']}; "
                "lower training.learning_rate"
            )


@contextmanager
def relayed(hook: EpochHook) -> Iterator[EpochHook]:
    """Yield a hook that spawned processes may call; it calls `hook` in this process, on a thread.

    An exception of `hook` is raised here once the fit is over.
    """
    queue = get_context("spawn").SimpleQueue()
    failures: list[Exception] = []

    def drain() -> None:
        for epoch, values in iter(queue.get, None):
            try:
                hook(epoch, values)
            except Exception as error:
                failures.append(error)

    thread = Thread(target=drain, daemon=True)
    thread.start()
    try:
        yield partial(_send, queue)
    finally:
        queue.put(None)
        thread.join()
    if failures:
        raise failures[0]


def _send(queue: Any, epoch: int, values: dict[str, float]) -> None:
    queue.put((epoch, values))

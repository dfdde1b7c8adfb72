"""One fit on several processes: each takes its share of every batch, and together they learn what one would.

Batches, their order and the number of steps are those of one process. Gradients are averaged over processes, so a loss
that is a mean over rows is exact as it is; other losses use `of_whole_batch` or `whole_batch`, and batch normalisation
is that of the whole batch (`shared_norm`). What still differs: the rounding of sums; dropout, which each process draws
for its own rows; and a last batch that the processes do not divide repeats up to processes - 1 of its rows.

Shapes: B rows of a batch.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Sampler

from glassline.errors import ModelError, SettingsError
from glassline.processes import is_first, torchrun
from glassline.training.settings import SharedSettings

Chosen = TypeVar("Chosen", bound=SharedSettings)


def with_processes(settings: Chosen) -> Chosen:
    """Return settings whose `devices` is what torchrun started; as they are when it did not.

    Raises:
        SettingsError: They name another number, or the batch cannot be divided by it.
    """
    started = torchrun()
    if started is None or settings.devices == started.count:
        return settings
    if settings.devices != 1:
        raise SettingsError(
            f"devices must be what torchrun started, {started.count}, got {settings.devices}; leave devices out"
        )
    return type(settings).parse({**settings.model_dump(), "devices": started.count})


def process() -> tuple[int, int]:
    """Return the rank of this process in the fit that it takes part in, and the number of processes."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


class Share(Sampler[list[int]]):
    """This process's rows of every batch: each n-th one."""

    def __init__(self, batches: BatchSampler) -> None:
        """Share out the batches of one process."""
        self._batches = batches
        self.sampler = batches.sampler  # where Lightning sets the epoch

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        rank, processes = process()  # not before: a spawned process has no rank when the loader is made
        for batch in self._batches:
            yield np.resize(batch, -(-len(batch) // processes) * processes)[rank::processes].tolist()


def shared(loader: DataLoader[Any]) -> DataLoader[Any]:
    """Return a loader of whole batches as one that loads this process's share of each."""
    assert isinstance(loader.batch_sampler, BatchSampler)
    return DataLoader(
        loader.dataset, batch_sampler=Share(loader.batch_sampler), num_workers=loader.num_workers,
        collate_fn=loader.collate_fn, persistent_workers=loader.persistent_workers,
    )  # fmt: skip


def of_whole_batch(mean: Tensor, weight: Tensor) -> Tensor:
    """Return a weighted mean over this share, scaled so that its average over processes is that of the whole batch.

    Args:
        mean: The mean, scalar.
        weight: Sum of the weights of the share's rows, scalar, above 0.
    """
    average = weight.detach().clone()
    processes = process()[1]
    if processes > 1:
        torch.distributed.all_reduce(average)
        average /= processes
    return mean * (weight / average)


def whole_batch(share_B: Tensor) -> Tensor:
    """Return the rows (B, ...) of all processes in the order of one; gradients flow back to where a row came from."""
    if process()[1] == 1:
        return share_B
    whole_B: Tensor = _Gathered.apply(share_B)  # type: ignore[no-untyped-call]
    return whole_B


class _Gathered(torch.autograd.Function):
    """The rows of all processes; each row's gradient is the sum over processes, as each uses all rows."""

    @staticmethod
    def forward(ctx: Any, share_B: Tensor) -> Tensor:
        parts = [torch.empty_like(share_B) for _ in range(process()[1])]
        torch.distributed.all_gather(parts, share_B.contiguous())
        return torch.stack(parts, dim=1).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient_B: Tensor) -> Tensor:
        rank, processes = process()
        total_B = gradient_B.clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(total_B)
        return total_B[rank::processes]


class EndOnTerm(Callback):
    """End a process that torchrun tells to, at once: Lightning would ask the others first, which may be gone."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take the place of Lightning's handler, which is put back after the fit."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@contextmanager
def whole_group() -> Iterator[None]:
    """Tell in one sentence that a process of torchrun's is gone, where the others wait for it.

    Raises:
        ModelError: One ended before.
    """
    try:
        yield
    except RuntimeError as error:
        told = str(error).lower()
        broken = isinstance(error, torch.distributed.DistError) or "gloo" in told or "connection closed" in told
        if torchrun() is None or not broken:
            raise
        raise ModelError(
            "all processes of a fit must reach its end, got one that ended before; start again with the same command: "
            "the fit resumes from its last epoch"
        ) from error


def wait_for_all() -> None:
    """Wait until all processes of torchrun are here; one that it did not start waits for none."""
    if torch.distributed.is_initialized():
        with whole_group():
            torch.distributed.barrier()


def end_others() -> None:
    """End all processes that torchrun started but the first, which goes on alone: a step calls it after its fits."""
    if torchrun() is None:
        return
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    if not is_first():
        sys.exit(0)

"""Transfer learning: a base is retrained on sources, then fine-tuned on a target with no layer frozen.

Source: system D of the reading, section 3.1 (base) and 3.2 (defect classifier).
Shapes: N rows of a table.
"""

from collections.abc import Sequence

import lightning
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from glassline.data.samples import SampleTable
from glassline.data.sources import Source
from glassline.data.storage import code_hash, content_key
from glassline.data.store import Store
from glassline.processes import agree, is_first
from glassline.training.data import batches
from glassline.training.fitted import Fitted
from glassline.training.fitted_base import FittedBase, features, load_base, save_base, starting_base
from glassline.training.history import EpochHook, History
from glassline.training.loop import class_weights, fit_model
from glassline.training.pooled import PooledPatches
from glassline.training.settings import TrainingSettings, TransferSettings
from glassline.training.sharing import wait_for_all, with_processes
from glassline.training.trainer import forget, run_trainer
from glassline.training.transfer_task import TransferTask, settle

__all__ = ["FittedBase", "features", "fine_tune", "fit_base", "kept_base", "load_base", "save_base", "starting_base"]


def fit_base(
    sources: Sequence[Source], settings: TransferSettings, seed: int, checkpoints: Store, on_epoch: EpochHook
) -> FittedBase:
    """Retrain the network on the pooled sources, to tell their classes apart.

    An epoch is as many rows as the sources have, as many of each class: sources differ a hundredfold in size.

    Args:
        sources: What to learn from. Each is a class; one that is a whole table has the classes of its table.
        settings: How.
        seed: Seed of random weights, order and augmentation.
        checkpoints: Where a killed fit leaves its last epoch; the next one of the same rows, settings, seed and
            code resumes from it.
        on_epoch: Called after every epoch with its number and metrics.

    Raises:
        DataError: The sources have fewer than two classes, or patches of another size than 112 px.
        ModelError: The loss left the finite numbers, or the file of starting weights does not fit.
    """
    pool, settings = PooledPatches(sources), with_processes(settings)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    lightning.seed_everything(seed, workers=True, verbose=False)
    start, of_base = starting_base(settings, seed), settings.of_base
    model = start.model.with_classes(len(pool.classes))
    steps = of_base.epochs * -(-len(pool) // of_base.batch_size)
    # Each class weighs as much as another: what is wanted of a base are features, not frequencies.
    even = of_base.model_copy(update={"class_weights": "balanced"})
    weight_C = class_weights(pool.labels_N, pool.labels_N, len(pool.classes), even)
    task = TransferTask(model, weight_C, pool, of_base, steps, seed)
    loader = batches(pool, of_base.batch_size, 0, shuffle_seed=seed, even=True)
    kept = checkpoints.below(_key(pool, start, of_base, seed))
    history = History(on_epoch)
    run_trainer(task, loader, None, of_base.epochs, of_base.precision, kept, history, devices=of_base.devices)
    settle(model, pool, of_base, seed)
    forget(kept)
    return FittedBase(
        model.cpu().eval(), pool.classes, settings.backbone, start.weights, tuple(one.name for one in sources),
        pd.DataFrame(history.records),
    )  # fmt: skip


def kept_base(
    sources: Sequence[Source], settings: TransferSettings, seed: int, store: Store, on_epoch: EpochHook
) -> FittedBase:
    """Return what `fit_base` does, from the store where an earlier call finished it.

    So a step that is killed while it fine-tunes does not retrain the base, and steps of the same sources share one.

    Args:
        sources: See `fit_base`, as for what else is told and raised.
        settings: How.
        seed: Seed.
        store: Where finished bases and checkpoints go.
        on_epoch: Called after every epoch that is trained.
    """
    settings = with_processes(settings)
    key = _key(PooledPatches(sources), starting_base(settings, seed), settings.of_base, seed)
    remedy, done = "give all nodes the same data, settings and store", store.kept(f"bases/{key}")
    agree(f"base {key}, done: {done is not None}", remedy)
    if done is None:
        base = fit_base(sources, settings, seed, store.below("checkpoints"), on_epoch)
        if is_first():
            with store.keep(f"bases/{key}") as folder:
                save_base(base, folder)
        wait_for_all()
        done = store.kept(f"bases/{key}")
        agree(f"base {key}, done: {done is not None}", remedy)
        assert done
    return load_base(done.whole())


def _key(pool: PooledPatches, start: FittedBase, of_base: TrainingSettings, seed: int) -> str:
    """Name a base by all that decides it."""
    told = [pool.content_hash(), of_base.model_dump(), seed, start.weights_hash(), code_hash("models", "training")]
    return content_key(told)


def fine_tune(
    base: FittedBase | None, table: SampleTable, train_N: npt.NDArray[np.intp], validation_N: npt.NDArray[np.intp],
    settings: TransferSettings, seed: int, checkpoints: Store, on_epoch: EpochHook,
) -> Fitted:  # fmt: skip
    """Train the whole network on a target, with a new last layer for its classes.

    Args:
        base: What to start from; None takes the weights that settings name.
        table: Table of patches of the target.
        train_N: Row positions to train on, augmented copies included.
        validation_N: Row positions that a loss is shown of; may be empty.
        settings: How.
        seed: Seed of the last layer, order and augmentation.
        checkpoints: As of `fit_base`.
        on_epoch: Called after every epoch with its number and metrics.

    Returns:
        The fitted model "transfer"; it reads no metadata.

    Raises:
        DataError: No training rows, one class only, or patches of another size than 112 px.
        ModelError: The loss left the finite numbers, or the file of starting weights does not fit.
    """
    chosen = settings.of_target
    return fit_model("transfer", table, train_N, validation_N, chosen, seed, checkpoints, on_epoch, base)

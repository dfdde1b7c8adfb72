"""The one training loop: Lightning fits any model of the registry on rows of a sample table.

A killed fit resumes from its last epoch: checkpoints lie in a folder that is named by what is trained on
what, so that another data set or setting never continues it.

Several devices share every batch, see `sharing`.
"""

import hashlib

import lightning
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from torch import Tensor, nn

from glassline.data.samples import SampleTable
from glassline.data.storage import code_hash, content_key
from glassline.data.store import Store
from glassline.errors import DataError
from glassline.models.backbone import TransferNetwork
from glassline.models.ensemble import StackingEnsemble
from glassline.models.metadata import StandardiseMetadata
from glassline.models.settings import PATCH_PX
from glassline.models.triplet import EmbeddingNetwork
from glassline.training.classifier_task import ClassifierTask
from glassline.training.data import PatchDataset, batches, label_indices, present_classes
from glassline.training.fitted import Fitted
from glassline.training.fitted_base import FittedBase
from glassline.training.history import EpochHook, History
from glassline.training.metric import MetricTask, StopOnCollapse, check_pairs, check_spread, fit_references
from glassline.training.sampling import thin_clean
from glassline.training.settings import TrainingSettings
from glassline.training.sharing import with_processes
from glassline.training.stacking import fit_stack, stacking_rows
from glassline.training.task import Task
from glassline.training.trainer import BEST, Checkpoint, forget, load_weights, run_trainer
from glassline.training.transfer_task import TransferTask, settle
from glassline.training.warm_start import WarmStart, beginning


def fit_model(
    name: str,
    table: SampleTable,
    train_N: npt.NDArray[np.intp],
    validation_N: npt.NDArray[np.intp],
    settings: TrainingSettings,
    seed: int,
    checkpoints: Store,
    on_epoch: EpochHook,
    base: FittedBase | None = None,
    start: WarmStart | None = None,
) -> Fitted:
    """Train a model of the registry.

    Args:
        name: Model name.
        table: Table of patches.
        train_N: Row positions to train on, augmented copies included.
        validation_N: Row positions to validate on after every epoch; may be empty when patience is 0.
        settings: How to train.
        seed: Seed of initial weights, order and dropout.
        checkpoints: Where checkpoints go; a fit of the same rows and settings resumes from there.
        on_epoch: Called with (epoch, metrics) after every epoch of this call, in this process.
        base: What model transfer starts from; None takes the weights that settings name. Others start from random ones.
        start: Any model's weights to start from instead; see `take_weights`.

    Returns:
        The fitted model on the CPU, in evaluation mode; after early stopping, the best epoch's weights.

    Raises:
        DataError: No training rows, one class only, patience without validation rows, or patches of another size; for
            models trained on distances, a class with one sample.
        ModelError: The loss left the finite numbers, or all embeddings became one point; a file of weights to start
            from is missing, broken, or another network's; no weight of `start` is of this model.
    """
    settings = with_processes(settings)
    attributes = [] if name == "transfer" else table.attributes
    all_N, train_N = train_N, thin_clean(table, train_N, settings.clean_ratio, seed)
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
    begun = beginning(name, table.classes, attributes, settings, seed, base, start)
    model = begun.model
    for part in model.modules():
        if isinstance(part, StandardiseMetadata):
            part.fit(torch.from_numpy(train.metadata_NM))
    kept = checkpoints.below(_fit_key(name, table, branches_N, validation_N, settings, seed, begun.key))
    weight_C = class_weights(train.labels_N, label_indices(table, all_N), len(table.classes), settings)
    history = History(on_epoch)
    if isinstance(model, EmbeddingNetwork):
        check_pairs(table, branches_N)
    _run(model, train, validation, weight_C, settings, seed, kept, history)
    if isinstance(model, StackingEnsemble):
        fit_stack(model, PatchDataset(table, held_N, attributes))
    if isinstance(model, TransferNetwork):
        settle(model, train, settings, seed)
    if isinstance(model, EmbeddingNetwork):
        check_spread(history, kept)
        fit_references(model, table, branches_N, all_N, attributes, settings, seed)
    forget(kept)
    return Fitted(
        name,
        model.cpu().eval(),
        table.classes,
        table.clean_class,
        tuple(attributes),
        settings,
        pd.DataFrame(history.records),
        begun.origin,
        begun.sources,
    )


def _run(
    model: nn.Module, train: PatchDataset, validation: PatchDataset, weight_C: Tensor,
    settings: TrainingSettings, seed: int, kept: Store, history: History,
) -> None:  # fmt: skip
    """Fit in place; resume from `kept` when it holds an epoch."""
    steps = settings.epochs * -(-len(train) // settings.batch_size)
    by_distance, even = isinstance(model, EmbeddingNetwork), isinstance(model, EmbeddingNetwork | TransferNetwork)
    task: Task
    if isinstance(model, EmbeddingNetwork):
        task = MetricTask(model, settings, steps, seed)
    elif isinstance(model, TransferNetwork):
        task = TransferTask(model, weight_C, train, settings, steps, seed)
    else:
        task = ClassifierTask(model, weight_C, settings, steps, seed)
    callbacks: list[Callback] = [StopOnCollapse()] if by_distance else []
    if settings.patience:
        # The best before the last: a fit killed between the two repeats the epoch and finds the same best.
        callbacks += [EarlyStopping("val_loss", patience=settings.patience), Checkpoint(kept, BEST, "val_loss")]
    size = settings.batch_size
    run_trainer(
        task, batches(train, size, settings.workers, shuffle_seed=seed, even=even),
        batches(validation, size, settings.workers) if len(validation) else None, settings.epochs,
        settings.precision, kept, history, callbacks, settings.devices,
    )  # fmt: skip
    if settings.patience and (best := kept.found(BEST)):
        load_weights(task, best)


def class_weights(
    labels_N: npt.NDArray[np.int64], unthinned_N: npt.NDArray[np.int64], classes: int, settings: TrainingSettings
) -> Tensor:
    """Return one loss weight per class (C,), mean 1 over the training rows; a class without rows weighs 1.

    Clean patches that were left out count by the weight of those that stayed: the loss keeps the frequencies that the
    model will meet, and defects are not over-called.

    Args:
        labels_N: Class index of the rows that are trained on.
        unthinned_N: Class index of the rows before clean ones were left out.
        classes: Number of classes.
        settings: Its `class_weights`.
    """
    count_C = np.bincount(labels_N, minlength=classes).astype(np.float64)
    met_C = np.bincount(unthinned_N, minlength=classes).astype(np.float64)
    weight_C = np.where(count_C > 0, met_C / count_C.clip(min=1) * met_C.clip(min=1) ** -settings.weight_power, 0.0)
    weight_C *= len(labels_N) / (weight_C * count_C).sum()
    # Not 0: a batch of validation rows of such a class alone would have the loss 0 / 0.
    return torch.tensor(np.where(count_C > 0, weight_C, 1.0), dtype=torch.float32)


def _check(train: PatchDataset, validation: PatchDataset, table: SampleTable, settings: TrainingSettings) -> None:
    present_classes(train, table.classes)
    if settings.patience and not len(validation):
        raise DataError("training.patience > 0 needs validation rows, got none; set patience to 0 or hold a fold out")
    patch_px = train[0]["patch_BHW"].shape[-1]
    if patch_px != PATCH_PX:
        raise DataError(f"models read patches of {PATCH_PX} px, got {patch_px}; set extract.candidates.patch_px")


def _fit_key(
    name: str, table: SampleTable, train_N: npt.NDArray[np.intp], validation_N: npt.NDArray[np.intp],
    settings: TrainingSettings, seed: int, start: str,
) -> str:  # fmt: skip
    what = [
        name,
        table.content_hash(),
        hashlib.sha256(train_N.tobytes()).hexdigest(),
        hashlib.sha256(validation_N.tobytes()).hexdigest(),
        settings.model_dump(),
        seed,
        start,
        code_hash("models", "training"),
    ]
    return content_key(what)

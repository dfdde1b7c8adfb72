"""Fit a segmentation network on zones; the loop is the one of the classifiers.

Source: Turko 2021, section 5.6 (Adam, learning rate 1e-4, beta 0.5 and 0.9, batches of 16).
"""

from typing import Any

import lightning
import pandas as pd
import torch
from torch import Tensor

from glassline.data.captures.zone_format import ZoneFormat
from glassline.data.storage import code_hash, content_key
from glassline.data.store import Store
from glassline.models.segmenters import build_segmenter
from glassline.training.fitted_segmenter import FittedSegmenter
from glassline.training.history import EpochHook, History
from glassline.training.image_task import VALIDATION_BATCHES, PatchTask, refuse_torn_groups
from glassline.training.losses import build_loss
from glassline.training.patch_stream import PatchStream, ZonePatches, patch_batches
from glassline.training.settings import SegmentationSettings
from glassline.training.sharing import with_processes
from glassline.training.trainer import forget, run_trainer
from glassline.vision.labelled_zones import LabelledZones

_BETAS = (0.5, 0.9)


class SegmentationTask(PatchTask):
    """A network and its loss under Adam."""

    settings: SegmentationSettings

    def __init__(self, fitted: FittedSegmenter, steps: int) -> None:
        """Wrap what is fitted; see `PatchTask`."""
        super().__init__(fitted.model, fitted.settings, steps)
        self._of_scales = fitted.loss

    def loss(self, batch: ZonePatches) -> Tensor:
        """Return the loss of one batch, summed over scales where the network has several."""
        sigmas_BSHW = batch["sigmas_BSHW"].contiguous(memory_format=torch.channels_last)
        scales = [output_BHW.float() for output_BHW in self.model(sigmas_BSHW)]
        value: Tensor = self._of_scales(scales, batch["scratch_BHW"], batch["sigmas_BSHW"])
        return value

    def configure_optimizers(self) -> Any:
        """Return Adam as published, under the schedule of the settings."""
        chosen = self.settings
        optimiser = torch.optim.Adam(self.model.parameters(), chosen.learning_rate, betas=_BETAS, eps=1e-8)
        if chosen.schedule == "constant":
            return optimiser
        # Momentum as published: the schedule would move beta 1 as well.
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, chosen.learning_rate, total_steps=self.steps, cycle_momentum=False
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def fit_segmenter(
    zones: LabelledZones, train: list[int], validation: list[int], settings: SegmentationSettings, seed: int,
    checkpoints: Store, on_epoch: EpochHook,
) -> FittedSegmenter:  # fmt: skip
    """Train a network on zones.

    Args:
        zones: The zones of a table.
        train: Numbers of the zones to train on.
        validation: Numbers of the zones whose loss is shown after every epoch; may be empty.
        settings: Network, loss and how to train.
        seed: Seed of initial weights and of every patch drawn.
        checkpoints: Where checkpoints go; a fit of the same zones and settings resumes from there.
        on_epoch: Called with (epoch, metrics) after every epoch of this call.

    Returns:
        The fitted network on the CPU, in evaluation mode.

    Raises:
        DataError: A glass lies on both sides, zones differ in format, or none has a scratch.
        ModelError: The loss left the finite numbers.
    """
    refuse_torn_groups(zones, train, validation, "glass")
    of, settings = zones.format(), with_processes(settings)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    lightning.seed_everything(seed, workers=True, verbose=False)
    states = 1 if settings.direction_blind else of.states
    fitted = FittedSegmenter(build_segmenter(states, settings.unet), build_loss(settings.loss), settings, of)
    stream = PatchStream(zones, train, of, settings, seed, augment=True)
    steps = settings.epochs * (settings.patches // settings.batch_size)
    task = SegmentationTask(fitted, steps)
    history = History(on_epoch)
    kept = checkpoints.below(_fit_key(zones, train, settings, of, seed))
    train_batches = patch_batches(stream, settings.batch_size, settings.workers, moves=True)
    validation_batches = _validation_batches(zones, validation, of, settings, seed)
    run_trainer(
        task, train_batches, validation_batches, settings.epochs, settings.precision, kept, history,
        devices=settings.devices,
    )  # fmt: skip
    forget(kept)
    fitted.model.cpu().eval()
    return fitted.with_history(pd.DataFrame(history.records))


def _validation_batches(
    zones: LabelledZones, validation: list[int], of: ZoneFormat, settings: SegmentationSettings, seed: int
) -> Any:
    if not any(zones.has_any(number) for number in validation):
        return None
    few = settings.model_copy(update={"patches": VALIDATION_BATCHES * settings.batch_size})
    return patch_batches(
        PatchStream(zones, validation, of, few, seed, augment=False), settings.batch_size, 0, moves=False
    )


def _fit_key(zones: LabelledZones, train: list[int], settings: SegmentationSettings, of: ZoneFormat, seed: int) -> str:
    what = [
        [(zones.images[number], zones.hashes[number], zones.truth_hash(number)) for number in train],
        settings.model_dump(), of.model_dump(), seed, code_hash("models", "training", "vision", "data"),
    ]  # fmt: skip
    return content_key(what)

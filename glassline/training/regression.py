"""Fit the severity detector; the loop is the one of the classifiers.

Source: He and Liu 2020 (system E of the reading), section III.B.1: squared error to the labelled severity.
"""

from typing import Any

import lightning
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from glassline.data.store import Store
from glassline.models.severity_detector import build_detector
from glassline.training.batch_statistics import settle_on_stream
from glassline.training.fitted_detector import FittedDetector
from glassline.training.history import EpochHook, History
from glassline.training.image_task import VALIDATION_BATCHES, ImageTask, fit_key, refuse_torn_groups
from glassline.training.settings import RegressionSettings
from glassline.training.severity_stream import SeverityBatch, SeverityStream, severity_batches
from glassline.training.sharing import with_processes
from glassline.training.trainer import forget, run_trainer
from glassline.vision.annotated_images import AnnotatedImages


class RegressionTask(ImageTask):
    """The detector and its loss."""

    def loss(self, batch: SeverityBatch) -> Tensor:
        """Return the mean squared error of severity."""
        image_BDPP = batch["image_BDPP"].contiguous(memory_format=torch.channels_last)
        return functional.mse_loss(self.model(image_BDPP).float(), batch["severity_BRC"])


def fit_detector(
    images: AnnotatedImages, train: list[int], validation: list[int], settings: RegressionSettings, seed: int,
    checkpoints: Store, on_epoch: EpochHook,
) -> FittedDetector:  # fmt: skip
    """Train on some images and return the detector on the CPU in evaluation mode.

    Args:
        images: The table's images.
        train: Numbers of the images to train on.
        validation: Numbers of those that a loss is shown of; may be none.
        settings: How.
        seed: Seed of weights and patches.
        checkpoints: Where a killed fit leaves its last epoch; the next one of the same images, settings, seed
            and code resumes from it.
        on_epoch: Called after every epoch with its number and metrics.

    Raises:
        DataError: A group lies on both sides, or no training image has a defect.
        ModelError: The loss left the finite numbers.
    """
    refuse_torn_groups(images, train, validation)
    settings = with_processes(settings)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    lightning.seed_everything(seed, workers=True, verbose=False)
    model = build_detector(settings.detector)
    stream = SeverityStream(images, train, settings, seed, augment=True)
    task = RegressionTask(model, settings, settings.epochs * (settings.patches // settings.batch_size))
    history, kept = History(on_epoch), checkpoints.below(fit_key(images, train, settings, seed))
    batches = severity_batches(stream, settings.batch_size, settings.workers, moves=True)
    run_trainer(
        task, batches, _validation_batches(images, validation, settings, seed), settings.epochs, settings.precision,
        kept, history, devices=settings.devices,
    )  # fmt: skip
    settle_on_stream(model, stream, settings.batch_size)
    forget(kept)
    return FittedDetector(model.cpu().eval(), settings, pd.DataFrame(history.records))


def _validation_batches(images: AnnotatedImages, validation: list[int], settings: RegressionSettings, seed: int) -> Any:
    if not any(images.has_any(number) for number in validation):
        return None
    few = settings.model_copy(update={"patches": VALIDATION_BATCHES * settings.batch_size})
    stream = SeverityStream(images, validation, few, seed, augment=False)
    return severity_batches(stream, settings.batch_size, 0, moves=False)

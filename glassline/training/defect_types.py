"""Fit the classifier of defect types; the loop is the one of the other networks.

Source: He and Liu 2020 (system E of the reading), sections III.A.4 and III.C.2: cross entropy over the types and a
clean class, trained once the detector is, on its own false positives too.
"""

from collections.abc import Sequence
from typing import Any

import lightning
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassline.data.store import Store
from glassline.errors import DataError
from glassline.models.type_classifier import build_type_classifier
from glassline.training.batch_statistics import settle_on_stream
from glassline.training.fitted_types import FittedTypes, TypeCounts
from glassline.training.history import EpochHook, History
from glassline.training.image_task import ImageTask, fit_key, refuse_torn_groups, rows
from glassline.training.settings import DefectTypeSettings
from glassline.training.sharing import with_processes
from glassline.training.trainer import forget, run_trainer
from glassline.training.type_stream import PlainWindows, TypeBatch, TypeStream, plain_batches, type_batches
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.type_sources import FalsePositive, TypeSources, gather_sources
from glassline.vision.type_windows import CLEAN


class TypeTask(ImageTask):
    """The classifier and its loss."""

    def __init__(self, model: nn.Module, settings: DefectTypeSettings, stream: TypeStream, steps: int) -> None:
        """Wrap a classifier and the stream that it is trained on; see `ImageTask`."""
        super().__init__(model, settings, steps)
        self._stream = stream

    def settle(self) -> None:
        """Measure the statistics of batch normalisation anew, on the first windows of the stream."""
        settle_on_stream(self.model, self._stream, self.settings.batch_size)

    def on_validation_start(self) -> None:
        """Judge the weights by their own statistics."""
        self.settle()

    def loss(self, batch: TypeBatch) -> Tensor:
        """Return the cross entropy."""
        return functional.cross_entropy(self.model(batch["window_BPP"]).float(), batch["type_B"])

    def validation_step(self, batch: TypeBatch, batch_index: int) -> None:
        """Log loss and accuracy of one batch."""
        logits_BC, type_B = self.model(batch["window_BPP"]).float(), batch["type_B"]
        right = (logits_BC.argmax(1) == type_B).float().mean()
        loss = functional.cross_entropy(logits_BC, type_B)
        self.log_dict({"val_loss": loss, "val_accuracy": right}, batch_size=rows(batch), sync_dist=True)


def fit_types(
    images: AnnotatedImages, train: list[int], validation: list[int], false_positives: Sequence[FalsePositive],
    settings: DefectTypeSettings, seed: int, checkpoints: Store, on_epoch: EpochHook,
) -> FittedTypes:  # fmt: skip
    """Train on the defects of some images and return the classifier on the CPU in evaluation mode.

    A type without a defect on the training images keeps its output, which is never right; `counts.untrained` names it.

    Args:
        images: The table's images.
        train: Numbers of the images to train on.
        validation: Numbers of those that loss and accuracy are shown of; may be none.
        false_positives: What the detector found on images that is no defect; where there are few, random clean places
            of the training images fill the clean class.
        settings: How.
        seed: Seed of weights and windows.
        checkpoints: Where a killed fit leaves its last epoch; the next one of the same images, false positives,
            settings, seed and code resumes from it.
        on_epoch: Called after every epoch with its number and metrics.

    Raises:
        DataError: A group lies on both sides, or no training image has a defect.
        ModelError: The loss left the finite numbers.
    """
    refuse_torn_groups(images, train, validation)
    classes, settings = _classes(images), with_processes(settings)
    sources = gather_sources(images, train, false_positives, settings.classifier.window_px, seed)
    counts = _counts(images, sources, len(train))
    if settings.threads:
        torch.set_num_threads(settings.threads)
    lightning.seed_everything(seed, workers=True, verbose=False)
    model = build_type_classifier(settings.classifier, images.colour, len(classes))
    stream = TypeStream(sources, seed)
    task = TypeTask(model, settings, stream, settings.epochs * (settings.windows // settings.batch_size))
    trained = set(train)
    used = [(images.images[number], list(box)) for number, box in false_positives if number in trained]
    history, kept = History(on_epoch), checkpoints.below(fit_key(images, train, settings, seed, used))
    batches = type_batches(stream, settings.windows, settings.batch_size, settings.workers)
    run_trainer(
        task, batches, _validation(images, validation, false_positives, settings, seed), settings.epochs,
        settings.precision, kept, history, devices=settings.devices,
    )  # fmt: skip
    task.settle()
    forget(kept)
    return FittedTypes(model.cpu().eval(), settings, classes, images.colour, counts, pd.DataFrame(history.records))


def _classes(images: AnnotatedImages) -> tuple[str, ...]:
    if CLEAN in images.types:
        raise DataError(
            f"{CLEAN!r} is the class of what is no defect, got a type of that name; rename it, or make it the table's "
            "clean class"
        )
    return (*images.types, CLEAN)


def _counts(images: AnnotatedImages, sources: TypeSources, looked_at: int) -> TypeCounts:
    defects = {name: len(crops) for name, crops in zip(images.types, sources.by_type, strict=True)}
    if not any(defects.values()):
        raise DataError(
            f"types are learned from at least one annotated defect, got none on {looked_at} training images; annotate "
            "some"
        )
    return TypeCounts(
        defects=defects, false_positives=len(sources.false_positives), random_clean=len(sources.random_clean)
    )


def _validation(
    images: AnnotatedImages, validation: list[int], false_positives: Sequence[FalsePositive],
    settings: DefectTypeSettings, seed: int,
) -> Any:  # fmt: skip
    if not any(images.has_any(number) for number in validation):
        return None
    # As many clean windows as defects: of more, accuracy would be theirs.
    sources = gather_sources(images, validation, false_positives, settings.classifier.window_px, seed, least_clean=0)
    return plain_batches(PlainWindows(sources), settings.batch_size)

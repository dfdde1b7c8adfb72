"""Training windows of defect types, as many of each class; which one is drawn follows from seed and place.

Shapes: B windows, P x P pixels.
"""

from typing import Any, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from glassline.training.patch_stream import as_read, stream_batches
from glassline.vision.type_patches import TypeCrop, type_patch
from glassline.vision.type_sources import TypeSources

#: Of the clean windows those that are false positives, at least, where there are any.
_LEAST_WRONG = 0.5


class TypeBatch(TypedDict):
    """What the classifier is trained on: `window_BPP` is (B, P, P, 3) in colour."""

    window_BPP: Tensor
    type_B: Tensor


class TypeStream(Dataset[TypeBatch]):
    """Varied windows of crops by their place in the stream: the classes that have crops in turn."""

    def __init__(self, sources: TypeSources, seed: int) -> None:
        """Prepare; `seed` is that of every draw."""
        self._sources, self._seed = sources, seed
        clean = sources.false_positives + sources.random_clean
        self._classes = [index for index, crops in enumerate((*sources.by_type, clean)) if crops]

    def __getitem__(self, place: int) -> TypeBatch:
        return self.__getitems__([place])

    def __getitems__(self, places: list[int]) -> TypeBatch:
        return _batch([self._window(place) for place in places])

    def _window(self, place: int) -> tuple[Any, int]:
        rng = np.random.default_rng([self._seed, place])
        label = self._classes[place % len(self._classes)]
        crops = self._sources.by_type[label] if label < len(self._sources.by_type) else self._clean(rng)
        return type_patch(crops[int(rng.integers(len(crops)))], rng), label

    def _clean(self, rng: np.random.Generator) -> tuple[TypeCrop, ...]:
        """Return one of both kinds of clean crops: false positives by their share, and no less than half."""
        wrong, drawn = self._sources.false_positives, self._sources.random_clean
        if not wrong or not drawn:
            return wrong or drawn
        return wrong if rng.random() < max(_LEAST_WRONG, len(wrong) / (len(wrong) + len(drawn))) else drawn


class PlainWindows(Dataset[TypeBatch]):
    """The centred window of every crop, once and as it is: what is validated on."""

    def __init__(self, sources: TypeSources) -> None:
        """Prepare all crops."""
        clean = sources.false_positives + sources.random_clean
        self._crops = [(crop, index) for index, crops in enumerate((*sources.by_type, clean)) for crop in crops]

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, place: int) -> TypeBatch:
        return self.__getitems__([place])

    def __getitems__(self, places: list[int]) -> TypeBatch:
        return _batch([(type_patch(crop, None), label) for crop, label in (self._crops[place] for place in places)])


def type_batches(stream: TypeStream, windows: int, batch_size: int, workers: int) -> DataLoader[TypeBatch]:
    """Load an epoch of `windows` windows in whole batches; every epoch draws new ones."""
    return stream_batches(stream, windows, batch_size, workers, moves=True)


def plain_batches(windows: PlainWindows, batch_size: int) -> DataLoader[TypeBatch]:
    """Load every window once."""
    return DataLoader(windows, batch_size, collate_fn=as_read)


def _batch(drawn: list[tuple[Any, int]]) -> TypeBatch:
    return {
        "window_BPP": torch.from_numpy(np.stack([window for window, _ in drawn])),
        "type_B": torch.tensor([label for _, label in drawn]),
    }

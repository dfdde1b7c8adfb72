"""Batches for training: patches by range from shards, augmentation applied as they are read.

Shapes: B rows of a batch, N rows of a table, H x W pixels, M metadata columns.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.errors import DataError
from glassline.vision.augment import apply_augmentation


class Batch(TypedDict):
    """What a model is handed: grey levels, metadata in its own units, class index."""

    patch_BHW: Tensor
    metadata_BM: Tensor
    label_B: Tensor


def label_indices(table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Return the class index (N,) of rows of a table, in the order of its classes."""
    index = {name: position for position, name in enumerate(table.classes)}
    return np.asarray(table.rows["label"].iloc[rows_N].map(index), np.int64)


class LabelledPatches(Dataset[Batch]):
    """Patches whose classes are known before any is read."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @property
    @abstractmethod
    def labels_N(self) -> npt.NDArray[np.int64]:
        """Class index of every row."""


class PatchDataset(LabelledPatches):
    """Rows of a table of patches; reads a batch at a time and holds none.

    Only numbers are kept per row (no strings), so that 600,000 rows cost tens of MB and forked loader
    workers do not copy them.
    """

    def __init__(self, table: SampleTable, rows_N: npt.NDArray[np.intp], attributes: Sequence[str]) -> None:
        """Pick rows of a table.

        Args:
            table: Table of patches.
            rows_N: Positions in the table.
            attributes: Metadata columns in the model's order.

        Raises:
            DataError: The table lacks one of the attributes.
        """
        missing = [name for name in attributes if name not in table.rows.columns]
        if missing:
            raise DataError(f"the model reads the columns {missing}, the table lacks them; extract candidates again")
        rows = table.rows.iloc[rows_N]
        self._reader = ShardReader(table.root, "patch")
        self._shard_N = rows["shard"].to_numpy(np.int32)
        self._row_N = rows["row"].to_numpy(np.int32)
        self._metadata_NM = rows[list(attributes)].to_numpy(np.float32, copy=True)
        self._label_N = label_indices(table, rows_N)
        operations = rows.get("augmentation")
        codes, names = (None, []) if operations is None else _factorise(operations.to_list())
        self._operation_N, self._operations = codes, names

    def __len__(self) -> int:
        return len(self._shard_N)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> Batch:
        patch_BHW = self._reader.read(self._shard_N[indices], self._row_N[indices])
        if self._operation_N is not None:
            for position, code in enumerate(self._operation_N[indices]):
                patch_BHW[position] = apply_augmentation(patch_BHW[position], self._operations[code])
        return {
            "patch_BHW": torch.from_numpy(patch_BHW),
            "metadata_BM": torch.from_numpy(self._metadata_NM[indices]),
            "label_B": torch.from_numpy(self._label_N[indices]),
        }

    @property
    def labels_N(self) -> npt.NDArray[np.int64]:
        """Class index of every row."""
        return self._label_N

    @property
    def metadata_NM(self) -> npt.NDArray[np.float32]:
        """Metadata of every row, NaN where unknown."""
        return self._metadata_NM


def present_classes(dataset: PatchDataset, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the class indices, ascending, of rows to train on.

    Args:
        dataset: The rows.
        classes: Class names in the order of the table.

    Raises:
        DataError: They are of fewer than two classes.
    """
    present = np.unique(dataset.labels_N)
    if len(present) < 2:
        names = [classes[index] for index in present]
        raise DataError(f"training needs at least two classes, got {names}; add samples of another class")
    return present


def _factorise(operations: list[str]) -> tuple[npt.NDArray[np.int32], list[str]]:
    names = sorted(set(operations))
    index = {name: code for code, name in enumerate(names)}
    return np.array([index[name] for name in operations], np.int32), names


class EpochShuffle(Sampler[int]):
    """A permutation that depends on seed and epoch only, so that a resumed run sees the same order."""

    def __init__(self, length: int, seed: int | None, labels_N: npt.NDArray[np.int64] | None = None) -> None:
        """Permute `length` rows; without a seed they keep their order.

        With labels, an epoch holds as many rows of each class, rare ones repeated and common ones in turns.
        """
        self._length, self._seed, self._epoch, self._labels_N = length, seed, 0, labels_N

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; the training loop calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        order_N = np.arange(self._length)
        if self._seed is not None:
            rng = np.random.default_rng([self._seed, self._epoch])
            order_N = rng.permutation(self._length)
            if self._labels_N is not None:
                order_N = rng.permutation(_evened(order_N, self._labels_N))
        yield from order_N.tolist()


def _evened(order_N: npt.NDArray[np.intp], labels_N: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return as many rows with the same number of each class, to within one; a rare class repeats its rows."""
    present = np.unique(labels_N)
    shares = [len(part) for part in np.array_split(order_N, len(present))]
    rows = [order_N[labels_N[order_N] == label] for label in present]
    return np.concatenate([np.resize(of, share) for of, share in zip(rows, shares, strict=True)])


def batches(
    dataset: LabelledPatches, batch_size: int, workers: int, shuffle_seed: int | None = None, even: bool = False
) -> DataLoader[Batch]:
    """Load a dataset in batches.

    Args:
        dataset: What to load.
        batch_size: Rows of a batch, >= 1.
        workers: Loader processes; 0 loads in this process.
        shuffle_seed: Seed of the order; None keeps the table's order.
        even: Whether an epoch holds as many rows of each class; needs a seed.
    """
    order = EpochShuffle(len(dataset), shuffle_seed, dataset.labels_N if even else None)
    return DataLoader(
        dataset, batch_size, sampler=order, num_workers=workers, collate_fn=_as_read,
        persistent_workers=workers > 0,
    )  # fmt: skip


def _as_read(batch: Any) -> Batch:
    return cast(Batch, batch)

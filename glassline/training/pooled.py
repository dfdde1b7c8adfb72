"""Rows of several sources as one data set, though each source lies in its own table and place.

Shapes: B rows of a batch, N rows.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from glassline.data.sources import Source, product_of
from glassline.errors import DataError
from glassline.models.settings import PATCH_PX
from glassline.training.data import Batch, LabelledPatches, PatchDataset


class PooledPatches(LabelledPatches):
    """Rows of sources; reads a batch at a time and holds none.

    A source is a class; one that is a whole table, and so named as its product, has the classes of its table instead.

    Attributes:
        classes: Class names, `PRODUCT/CLASS`, in the order of the sources.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Pool sources.

        Raises:
            DataError: They have fewer than two classes, or patches of another size than 112 px.
        """
        names = [_class_names(source) for source in sources]
        self.classes = tuple(dict.fromkeys(name for of_source in names for name in of_source))
        if len(self.classes) < 2:
            raise DataError(
                f"a base needs sources of at least two classes, to tell them apart, got {list(self.classes)}; raise "
                "the budget, or take whole tables as sources"
            )
        index = {name: position for position, name in enumerate(self.classes)}
        self._label_N = np.array([index[name] for of_source in names for name in of_source], np.int64)
        self._parts = [PatchDataset(source.table, source.rows_N, ()) for source in sources]
        self._first_S = np.cumsum([0, *(len(part) for part in self._parts)])
        self._hashes = [_content_hash(source) for source in sources]
        for source, part in zip(sources, self._parts, strict=True):
            patch_px = part[0]["patch_BHW"].shape[-1]
            if patch_px != PATCH_PX:
                raise DataError(f"models read patches of {PATCH_PX} px, got {patch_px} of {source.name}; cut it again")

    def __len__(self) -> int:
        return len(self._label_N)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> Batch:
        index_B = np.asarray(indices)
        part_B = np.searchsorted(self._first_S, index_B, side="right") - 1
        patch_BHW = torch.empty(len(index_B), PATCH_PX, PATCH_PX, dtype=torch.uint8)
        for part in np.unique(part_B):
            at = np.flatnonzero(part_B == part)
            read = self._parts[part].__getitems__((index_B[at] - self._first_S[part]).tolist())
            patch_BHW[at] = read["patch_BHW"]
        return {
            "patch_BHW": patch_BHW,
            "metadata_BM": torch.empty(len(index_B), 0),
            "label_B": torch.from_numpy(self._label_N[index_B]),
        }

    @property
    def labels_N(self) -> npt.NDArray[np.int64]:
        """Class index of every row."""
        return self._label_N

    def content_hash(self) -> str:
        """Return one SHA-256 over the rows of all sources and their names, in the order of the sources."""
        return hashlib.sha256("".join(self._hashes).encode()).hexdigest()


def _class_names(source: Source) -> list[str]:
    """Return the class of every row of a source."""
    product = product_of(source.table)
    if source.name != product:
        return [source.name] * len(source)
    return [f"{product}/{label}" for label in source.table.rows["label"].iloc[source.rows_N]]


def _content_hash(source: Source) -> str:
    rows = source.table.with_rows(source.table.rows.iloc[source.rows_N])
    return f"{source.name}\0{rows.content_hash()}"

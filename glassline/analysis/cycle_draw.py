"""Which patches of two cycles are compared: as many of each class, so that other shares of classes are no drift.

Shapes: N rows of a table.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.data.splits import is_real

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Drawn:
    """Patches of the last cycle and of the new one, in this order.

    Attributes:
        rows: Their rows; `last_cycle` tells which are of the last cycle, and groups of it never bear the name of a new
            one's.
        patch_NHW: Their pixels.
        matched: Whether classes have the same shares in both.
    """

    rows: pd.DataFrame
    patch_NHW: npt.NDArray[np.uint8]
    matched: bool

    @property
    def new_N(self) -> npt.NDArray[np.bool_]:
        """Which are new."""
        return ~self.rows["last_cycle"].to_numpy(np.bool_)


def draw_new(split: SampleTable, most: int, seed: int) -> Rows:
    """Draw at most so many real patches at random; positions in their order."""
    real_N = np.flatnonzero(is_real(split))
    return np.sort(np.random.default_rng(seed).permutation(real_N)[:most])


def draw_both(split: SampleTable, last: SampleTable, most: int, seed: int) -> Drawn:
    """Draw at most so many patches of each cycle, of every class that both have the same number.

    Without a class in common, patches are drawn at random.

    Raises:
        DataError: Shards of the last cycle are not where its table says.
    """
    label_N, last_N = (_real_labels(table) for table in (split, last))
    shared = [name for name in split.classes if (label_N == name).any() and (last_N == name).any()]
    if not shared:
        return _drawn(split, draw_new(split, most, seed), last, draw_new(last, most, seed), matched=False)
    numbers = {name: int(min((label_N == name).sum(), (last_N == name).sum())) for name in shared}
    scale = min(1.0, most / sum(numbers.values()))
    picked: tuple[list[Rows], list[Rows]] = ([], [])
    for index, (name, number) in enumerate(numbers.items()):
        for side, labels_N in enumerate((label_N, last_N)):
            of_class_N = np.flatnonzero(labels_N == name)
            drawn_N = np.random.default_rng([seed, index, side]).permutation(of_class_N)
            picked[side].append(drawn_N[: max(1, int(number * scale))])
    new_N, old_N = (np.sort(np.concatenate(side)) for side in picked)
    return _drawn(split, new_N, last, old_N, matched=True)


def _real_labels(table: SampleTable) -> npt.NDArray[np.object_]:
    """Return the label of each row, "" of copies."""
    return np.where(is_real(table), table.rows["label"].to_numpy(object), "")


def _drawn(split: SampleTable, new_N: Rows, last: SampleTable, old_N: Rows, matched: bool) -> Drawn:
    parts, patches = [], []
    for table, rows_N, is_last in ((last, old_N, True), (split, new_N, False)):
        rows = table.rows.iloc[rows_N]
        parts.append(
            rows.assign(last_cycle=is_last, group=("last " if is_last else "new ") + rows["group"].astype(str))
        )
        patches.append(ShardReader(table.root, "patch").read(rows["shard"], rows["row"]))
    return Drawn(pd.concat(parts, ignore_index=True), np.concatenate(patches), matched)

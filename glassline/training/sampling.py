"""Fewer clean patches where they crowd out the defects.

Candidates of one image are mostly clean; beyond a few per defect they cost time and teach nothing.
"""

import numpy as np
import numpy.typing as npt

from glassline.data.samples import SampleTable


def thin_clean(table: SampleTable, train_N: npt.NDArray[np.intp], ratio: float, seed: int) -> npt.NDArray[np.intp]:
    """Return training rows with at most `ratio` clean patches per defect patch.

    Args:
        table: Table of patches.
        train_N: Row positions to train on.
        ratio: Clean patches per defect patch, >= 0; 0 keeps all.
        seed: Seed of the choice.

    Returns:
        Row positions in their order; all of them where there is no clean class or few clean patches.
    """
    clean_N = (table.rows["label"].to_numpy()[train_N] == table.clean_class).nonzero()[0]
    keep = round(ratio * (len(train_N) - len(clean_N)))
    if not ratio or not table.clean_class or len(clean_N) <= keep:
        return train_N
    dropped = np.random.default_rng(seed).choice(clean_N, len(clean_N) - keep, replace=False)
    return np.delete(train_N, dropped)

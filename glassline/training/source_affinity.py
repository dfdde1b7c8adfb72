"""Affinity of sources for a target, measured by heads on the features of a frozen base.

Shapes: N rows of a table.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from glassline.analysis.affinity import Affinity, AffinitySettings, affinity_of
from glassline.analysis.heads import Examples, draw_rows, even_weights, head_losses
from glassline.analysis.target_split import Rows, split_target
from glassline.data.samples import SampleTable
from glassline.data.sources import Source, product_of
from glassline.training.fitted_base import FittedBase, features

# Splits of a target, whose few samples would otherwise decide by chance which half they are in.
_SPLITS = 4


def measured_affinity(
    base: FittedBase, sources: Sequence[Source], target: SampleTable, rows_N: Rows, settings: AffinitySettings,
    seed: int, progress: Callable[[int, int], None],
) -> Affinity:  # fmt: skip
    """Return the affinity of each source, without gains.

    The target's rows are split several times into those that heads are fitted on and those that judge; what wins is
    counted over all.

    Args:
        base: Network that gives features.
        sources: What is compared, of other products than the target's.
        target: Table of patches with a clean class.
        rows_N: Positions of its rows that may be looked at.
        settings: How.
        seed: Seed of splits and draws.
        progress: Called with sources done and sources in all.

    Raises:
        DataError: See `split_target` and `affinity_of`.
    """
    splits = [split_target(target, rows_N, settings.held_share, seed + turn) for turn in range(_SPLITS)]
    seen_N = np.unique(np.concatenate([part for pair in splits for part in pair]))
    of_target = examples(base, Source("target", target, seen_N))
    pairs = [tuple(_part(of_target, np.searchsorted(seen_N, part)) for part in pair) for pair in splits]
    losses = {}
    for done, source in enumerate(sources, 1):
        drawn_N = draw_rows(source, settings.rows_per_source, seed)
        helping = examples(base, replace(source, rows_N=drawn_N))
        losses[source.name] = np.concatenate([head_losses(train, helping, held) for train, held in pairs])
        progress(done, len(sources))
    weight_N = np.concatenate([even_weights(held.defective_N) for _, held in pairs])
    name = product_of(target)
    return affinity_of({name: losses}, settings.largest_inconsistency, {name: weight_N})


def examples(base: FittedBase, source: Source) -> Examples:
    """Return the samples of a source as heads see them."""
    return Examples(features(base, source.table, source.rows_N), source.defective_N)


def _part(of: Examples, index_N: Rows) -> Examples:
    return Examples(of.features_NF[index_N], of.defective_N[index_N])

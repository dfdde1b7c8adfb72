"""What networks that are compared learn from before the target: chosen sources, all, random ones, none."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from glassline.analysis.source_selection import read_selection
from glassline.data.samples import SampleTable
from glassline.data.sources import Source, named_sources, product_of
from glassline.errors import DataError, SettingsError

Arm = Literal["dataonomy", "all", "random", "none"]

# Draws of random sources at most; what only fits alone after so many is refused by the fit.
_DRAWS = 100


def sources_of_arm(
    arm: str, target: SampleTable, tables: Sequence[SampleTable], selection: Path, seed: int
) -> list[Source]:
    """Return what the base of an arm learns from.

    Args:
        arm: `dataonomy`, the sources chosen; `all` sources; `random`, see `random_sources`; `none`.
        target: Table of patches of the target.
        tables: Tables of patches of other products.
        selection: File written by `Selection.write`.
        seed: Seed of random sources.

    Raises:
        SettingsError: Another arm.
        DataError: The target's product is among the sources, or a chosen source is not.
    """
    if arm not in get_args(Arm):
        raise SettingsError(f"arm must be one of {', '.join(get_args(Arm))}, got {arm!r}; choose one")
    chosen, candidates, budget = read_selection(selection)
    product = product_of(target)
    if product in {product_of(table) for table in tables}:
        raise DataError(f"sources must be of other products than the target, got {product} as both; leave it out")
    names = {"none": [], "all": [*candidates], "dataonomy": [*chosen]}
    return named_sources(tables, names[arm] if arm in names else random_sources(candidates, budget, seed))


def random_sources(candidates: Mapping[str, int], budget: int, seed: int) -> list[str]:
    """Return names of sources in an order that the seed draws, while their samples fit the budget.

    One class alone teaches nothing: it is drawn again where another draw may hold more.
    """
    generator, names = np.random.default_rng(seed), list(candidates)
    for _ in range(_DRAWS):
        drawn, left = [], budget
        for name in generator.permutation(names).tolist():
            if candidates[name] <= left:
                left -= candidates[name]
                drawn.append(str(name))
        if len(drawn) != 1 or "/" not in drawn[0]:
            break
    return drawn

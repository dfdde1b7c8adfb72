"""Why each source was chosen or left out, found by solving again without it or with it."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.binary_program import UNIT, Program
from glassline.analysis.source_selection import Selection, program_of

Flags = npt.NDArray[np.bool_]

#: Names told in a sentence.
_NAMED = 3


def explain(selection: Selection) -> pd.DataFrame:
    """Return a row per source: source, samples, its affinity for each target, chosen, why.

    Rows come in the order of the affinities. `affinity of TARGET` is the column of a target.
    """
    affinity = selection.affinity
    program = program_of(affinity, selection.samples_S, selection.settings)
    columns = {f"affinity of {name}": weight_S for name, weight_S in zip(affinity.targets, affinity.weight_ST.T,
                                                                        strict=True)}  # fmt: skip
    reasons = [
        (_chosen if selection.chosen_S[index] else _left_out)(selection, program, index)
        for index in range(len(affinity.sources))
    ]
    told = {"source": affinity.sources, "samples": selection.samples_S, **columns, "chosen": selection.chosen_S}
    return pd.DataFrame({**told, "why": reasons})


def _chosen(selection: Selection, program: Program, index: int) -> str:
    other_S = program.best(fixed={index: False})
    if other_S is None:
        return "without it the coverage cannot be reached within the budget"
    lost = program.value(selection.chosen_S) - program.value(other_S)
    if not lost:
        return f"as good as the best choice without it, which {_fewer(selection, other_S)}"
    instead = _names(selection, other_S & ~selection.chosen_S)
    return f"the best choice without it has {_told(lost)} less affinity" + (f", with {instead} instead" * bool(instead))


def _left_out(selection: Selection, program: Program, index: int) -> str:
    missing = selection.samples + int(selection.samples_S[index]) - program.budget
    if (beyond := int(selection.samples_S[index]) - program.budget) > 0:
        return f"alone it exceeds the budget by {beyond} samples"
    other_S = program.best(fixed={index: True})
    if other_S is None:
        return "with it the coverage cannot be reached within the budget"
    lost = program.value(selection.chosen_S) - program.value(other_S)
    gone = _names(selection, selection.chosen_S & ~other_S)
    if lost:
        return (
            f"beside the chosen it needs {missing} more samples of budget; the best choice with it, without {gone}, "
            f"has {_told(lost)} less affinity"
        )
    return f"as good as the choice made, but the best choice with it {_fewer(selection, other_S, more=True)}"


def _fewer(selection: Selection, other_S: Flags, more: bool = False) -> str:
    """Say what decided between two choices of equal affinity."""
    apart = int(selection.samples_S[other_S].sum()) - selection.samples
    return f"takes {apart} more samples" if apart else f"comes {'later' if more else 'after it'} by name"


def _names(selection: Selection, flags_S: Flags) -> str:
    names = [name for name, flag in zip(selection.affinity.sources, flags_S, strict=True) if flag]
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _told(value: int) -> str:
    """Return an affinity that is never told as 0."""
    return f"{value * UNIT:.3f}" if value * UNIT >= 0.0005 else "under 0.001"

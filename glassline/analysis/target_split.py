"""A target of transfer: its samples to fit heads on and to judge them by, and the sources that it may use.

Shapes: N rows.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from glassline.data.balanced import hold_out_groups
from glassline.data.samples import SampleTable
from glassline.data.sources import Source, product_of
from glassline.data.splits import is_real
from glassline.errors import DataError

Rows = npt.NDArray[np.intp]

_CLEAN, _DEFECTIVE = "clean", "defective"


class NoSplitError(DataError):
    """A target that sources cannot be compared by, whatever they are."""


def split_target(table: SampleTable, rows_N: Rows, held_share: float, seed: int) -> tuple[Rows, Rows]:
    """Split rows of a target in whole groups, with clean and defective rows on both sides; copies are left out.

    Args:
        table: Table of patches.
        rows_N: Row positions that may be looked at: none of those that the target is tested on in the end.
        held_share: Share to hold out, in (0, 1).
        seed: Any integer >= 0.

    Returns:
        Row positions to fit heads on, and those to judge them by.

    Raises:
        NoSplitError: The table has no clean class, rows are all clean or all defective, or of too few groups.
    """
    if not table.clean_class:
        raise NoSplitError(
            f"a target must have a clean class, got classes {list(table.classes)} and none of them; import it with one"
        )
    rows_N = rows_N[is_real(table)[rows_N]]
    clean_N = np.asarray(table.rows["label"] == table.clean_class, np.bool_)
    if len(np.unique(clean_N[rows_N])) < 2:
        raise NoSplitError(
            f"a target must have clean and defective patches to learn from, got {int(clean_N[rows_N].sum())} clean of "
            f"{len(rows_N)}; label more of the others"
        )
    # What is split by is what heads tell apart; a defect class of one group may lie on either side.
    rows = table.rows.assign(label=np.where(clean_N, _CLEAN, _DEFECTIVE))
    two = replace(table, rows=rows, classes=(_CLEAN, _DEFECTIVE), clean_class=_CLEAN)
    try:
        return hold_out_groups(two, rows_N, held_share, seed)
    except DataError as error:
        raise NoSplitError(str(error)) from error


def sources_for(target: SampleTable, sources: Sequence[Source]) -> list[Source]:
    """Return the sources of other products than the target's, in their order.

    Raises:
        DataError: There is none.
    """
    product = product_of(target)
    found = [source for source in sources if product_of(source.table) != product]
    if not found:
        raise DataError(f"a target needs sources of other products, got only those of {product}; import another one")
    return found

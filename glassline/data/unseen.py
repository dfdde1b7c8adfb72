"""What an older table shares with a newer one: a source must hold nothing that its target is tested on.

Shapes: N rows of a table.
"""

import numpy as np
import numpy.typing as npt

from glassline.data.samples import SampleTable

Flags = npt.NDArray[np.bool_]

# A cycle is another glass: a group of the same name in another cycle is none of these.
_GROUP = ["product", "cycle", "group"]


def shared_rows(table: SampleTable, others: SampleTable) -> Flags:
    """Return which rows (N,) of a table of patches another one has too: pixels of the same content, or the same group.

    Args:
        table: Table whose rows are told of.
        others: Table that they are looked for in.
    """
    same_N = table.rows["sha256"].isin(others.rows["sha256"]).to_numpy()
    groups = set(others.rows[_GROUP].astype(str).itertuples(index=False, name=None))
    keys = table.rows[_GROUP].astype(str).itertuples(index=False, name=None)
    return np.asarray(same_N | np.fromiter((key in groups for key in keys), np.bool_, len(table.rows)))

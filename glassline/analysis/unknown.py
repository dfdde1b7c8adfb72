"""The answer `unknown`: no reference lies near.

Source: open-set recognition by the distance of the nearest reference (Mendes Junior et al. 2017); system B of the
reading has no such answer.
Shapes: N patches, U units.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassline.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

#: What a unit is called that no reference is near to.
UNKNOWN = "unknown"


def unit_distance(rows: "pd.DataFrame", distance_N: npt.NDArray[np.float32]) -> "pd.Series":
    """Return how strange each unit is, sorted by unit as `judge_units` sorts: that of its strangest patch.

    Args:
        rows: Rows of a table of patches, in the order of the distances.
        distance_N: Distance of each patch's nearest reference, in units of the network's distance.
    """
    import pandas as pd

    return pd.Series(distance_N).groupby(rows["unit"].to_numpy(), sort=True).max()


def unknown_threshold(distance_U: npt.ArrayLike, false_unknown_rate: float) -> float:
    """Return the distance beyond which a unit is `unknown`.

    Args:
        distance_U: Distances of units of known classes that the network was not trained on.
        false_unknown_rate: Share of them that may be called unknown, 0 to under 1.

    Raises:
        DataError: There is no unit, or the rate is out of range.
    """
    distance_U = np.asarray(distance_U, np.float64)
    if not len(distance_U) or not 0 <= false_unknown_rate < 1:
        raise DataError(
            f"a threshold needs held-out units and a false_unknown_rate from 0 to under 1, got {len(distance_U)} and "
            f"{false_unknown_rate:g}; hold a fold out"
        )
    return float(np.quantile(distance_U, 1 - false_unknown_rate, method="higher"))


def with_unknown(judged: "pd.DataFrame", distance_U: "pd.Series", threshold: float) -> "pd.DataFrame":
    """Return the decisions of `judge_units`, `unknown` where a unit's distance exceeds the threshold."""
    strange_U = distance_U.loc[judged["unit"]].to_numpy() > threshold
    return judged.assign(predicted=judged["predicted"].where(~strange_U, UNKNOWN))

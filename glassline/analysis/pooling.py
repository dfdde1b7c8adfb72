"""From the probabilities of patches to the decision on what is judged: a patch, or a whole image.

Shapes: N patches, C classes, U units.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


def judge_units(
    rows: "pd.DataFrame", probability_NC: npt.NDArray[np.floating], classes: Sequence[str], clean_class: str
) -> "pd.DataFrame":
    """Pool the probabilities of the patches of a unit and decide its class.

    A unit with one patch keeps its probabilities. With a clean class, an image is as defective as its most
    defective candidate: each defect's probability is its maximum over the candidates, the clean class's
    its minimum. Without one, every candidate carries the image's class and the mean decides.

    Args:
        rows: Rows of a table of patches, in the order of the probabilities.
        probability_NC: Class probabilities in [0, 1], rows summing to 1.
        classes: Class names in the order of the columns.
        clean_class: The class without defect, "" where there is none.

    Returns:
        One row per unit, sorted by unit: unit, group, actual, predicted, and `p_<class>` summing to 1.
    """
    import pandas as pd

    columns = [f"p_{name}" for name in classes]
    frame = pd.DataFrame(np.asarray(probability_NC, np.float64), columns=columns)
    grouped = frame.groupby(rows["unit"].to_numpy(), sort=True)
    if clean_class:
        pooled = grouped.max()
        clean = f"p_{clean_class}"
        pooled[clean] = grouped[clean].min()
        pooled = pooled.div(pooled.sum(axis=1), axis=0)
    else:
        pooled = grouped.mean()
    about = rows.drop_duplicates("unit").set_index("unit").loc[pooled.index]
    decided = pooled.to_numpy().argmax(1)
    return pd.DataFrame(
        {
            "unit": pooled.index,
            "group": about["group"].to_numpy(),
            "actual": about["unit_label"].to_numpy(),
            "predicted": [classes[index] for index in decided],
            **{name: pooled[name].to_numpy() for name in columns},
        }
    )


def pool_patches(probability_NC: npt.NDArray[np.floating], clean: int | None) -> npt.NDArray[np.float64]:
    """Return the class probabilities (C,) of an image from those of its patches, as `judge_units` pools them.

    Args:
        probability_NC: Class probabilities of its patches, at least one.
        clean: Place of the clean class, None where there is none.
    """
    probability_NC = np.asarray(probability_NC, np.float64)
    if clean is None:
        return np.asarray(probability_NC.mean(axis=0))
    pooled_C = probability_NC.max(axis=0)
    pooled_C[clean] = probability_NC[:, clean].min()
    return np.asarray(pooled_C / pooled_C.sum())

"""How far a metric network holds classes apart: distances of held-out samples to references.

Shapes: N rows.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from glassline.data.samples import SampleTable
from glassline.errors import ModelError
from glassline.models.triplet import EmbeddingNetwork
from glassline.training.data import label_indices
from glassline.training.fitted import Fitted, embed

_AT_ONCE = 256


@torch.no_grad()
def separation(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Return the distance of each row's nearest reference of its own class and of another one.

    Returns:
        One row per row: label, own, other; in units of the network's distance, infinite where there is no reference.

    Raises:
        ModelError: The model has no references.
    """
    model = fitted.model
    if not isinstance(model, EmbeddingNetwork):
        raise ModelError(f"references need a triplet or Siamese network, got {fitted.name}; train triplet or siamese")
    embedding_NE = torch.from_numpy(embed(fitted, table, rows_N))
    parts = [model.distance(part_BE, model.reference_RE) for part_BE in torch.split(embedding_NE, _AT_ONCE)]
    distance_NR = torch.cat(parts)
    own_NR = torch.tensor(label_indices(table, rows_N)).unsqueeze(1) == model.reference_label_R
    nearest = [distance_NR.masked_fill(~kept_NR, torch.inf).amin(1).numpy() for kept_NR in (own_NR, ~own_NR)]
    return pd.DataFrame({"label": table.rows["label"].to_numpy()[rows_N], "own": nearest[0], "other": nearest[1]})

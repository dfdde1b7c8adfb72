"""Fit the stack of the stacking ensemble on samples that its branches have not seen.

Source: system A of the reading, section 3.1 (ensemble); stacking after Wolpert 1992.
"""

import warnings

import numpy as np
import numpy.typing as npt
import torch

from glassline.data.samples import SampleTable
from glassline.data.splits import is_real
from glassline.models.ensemble import StackingEnsemble
from glassline.training.data import PatchDataset, batches
from glassline.training.logistic import fit_logistic

_HELD_SHARE = 5  # one group in five fits the stack


def stacking_rows(
    table: SampleTable, train_N: npt.NDArray[np.intp], seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Split training rows by group into those for the branches and those for the stack.

    Augmented copies are left out of the stack's share: it weighs opinions on real samples. The groups of a
    class that the branches would otherwise never see stay with the branches.

    Returns:
        Row positions for the branches and for the stack.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rows = table.rows.iloc[train_N]
    label_N, group_N = rows["label"].to_numpy(), rows["group"].to_numpy()
    count = min(_HELD_SHARE, len(np.unique(group_N)), int(rows["label"].value_counts().max()))
    if count < 2:
        return train_N, train_N[:0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class in y has only", UserWarning)
        folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(train_N, label_N, group_N)
        branches, held = next(folds)
    lost = held[~np.isin(label_N[held], label_N[branches])]
    back_N = np.isin(group_N[held], group_N[lost])
    branches, held = np.sort(np.concatenate([branches, held[back_N]])), held[~back_N]
    held = held[is_real(table)[train_N[held]]]
    return train_N[branches], train_N[held]


@torch.no_grad()
def fit_stack(model: StackingEnsemble, held: PatchDataset) -> None:
    """Fit `model.stack` by logistic regression on the branches' log probabilities of held-out rows.

    Where the held-out rows lack a class, the stack keeps its initial weights (the sum of both opinions).
    """
    model.eval()
    inputs = [model.stacked_inputs(batch["patch_BHW"].float(), batch["metadata_BM"]) for batch in batches(held, 256, 0)]
    present = np.unique(held.labels_N)
    if len(present) < model.stack.out_features:
        return
    fit_logistic(model.stack, torch.cat(inputs), held.labels_N)

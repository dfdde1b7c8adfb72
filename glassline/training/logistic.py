"""Logistic regression as a linear layer: what is fitted on features that a network hands over.

Shapes: N rows, F features, C classes.
"""

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


@torch.no_grad()
def fit_logistic(layer: nn.Linear, features_NF: Tensor, labels_N: npt.NDArray[np.int64], even: bool = False) -> None:
    """Put the weights of a logistic regression into a layer of one output per class.

    Args:
        layer: From F features to C classes.
        features_NF: Features.
        labels_N: Class index of each; a class without rows gets weights 0 and the lowest bias.
        even: Whether classes weigh alike, whatever their number of rows.
    """
    from sklearn.linear_model import LogisticRegression

    present = np.unique(labels_N)
    regression = LogisticRegression(C=1.0, max_iter=1000, class_weight="balanced" if even else None)
    regression.fit(features_NF.numpy(), labels_N)
    weight_CF, bias_C = regression.coef_, regression.intercept_
    if len(present) == 2:  # one row of weights stands for both classes
        weight_CF, bias_C = np.vstack([-weight_CF, weight_CF]) / 2, np.array([-bias_C[0], bias_C[0]]) / 2
    layer.weight.zero_()
    layer.bias.fill_(float(bias_C.min()) - 10)
    layer.weight[present] = torch.from_numpy(cast("npt.NDArray[np.float64]", weight_CF)).to(layer.weight)
    layer.bias[present] = torch.from_numpy(cast("npt.NDArray[np.float64]", bias_C)).to(layer.bias)

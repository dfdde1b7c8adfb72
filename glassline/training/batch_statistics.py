"""Means and variances of batch normalisation, measured again with the weights as they are.

Running means lag behind weights that move fast: after a short fit they belong to weights of long ago, and the network
errs in evaluation on what it knew in training.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

#: Batches that statistics are the mean of.
BATCHES = 8


def settle_on_stream(model: nn.Module, stream: Dataset[Any], batch_size: int) -> None:
    """Measure the statistics of a model anew on the first batches of the stream that it was trained on.

    Args:
        model: Any model.
        stream: Gives batches by their places; the first entry of a batch is what the model reads.
        batch_size: Patches of a batch.
    """
    places = (list(range(number * batch_size, (number + 1) * batch_size)) for number in range(BATCHES))
    settle_statistics(model, (next(iter(stream.__getitems__(batch).values())) for batch in places))  # type: ignore[attr-defined]


def settle_statistics(model: nn.Module, inputs: Iterable[Tensor]) -> None:
    """Replace the running statistics of a model by their mean over some batches of training data.

    Args:
        model: Any model; those without batch normalisation stay as they are.
        inputs: Batches as it reads them.
    """
    norms = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    momenta, training = [norm.momentum for norm in norms], model.training
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
    model.train()
    device = next(model.parameters()).device
    with torch.no_grad():
        for batch in inputs:
            model(batch.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(training)

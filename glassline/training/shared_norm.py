"""Batch normalisation over the whole batch where several processes share it, on CPUs and GPUs alike.

torch's SyncBatchNorm is for GPUs only, and put in the place of timm's BatchNormAct2d it loses the activation. This one
leaves the layers where they are and gives them another forward for the time of the fit.

Shapes: B rows of a share, K channels.
"""

from functools import partial
from typing import Any

import torch
from lightning.pytorch.plugins import LayerSync
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from glassline.training.sharing import process


class WholeBatchNorm(LayerSync):
    """What Lightning does to the batch normalisation of a model before and after a fit on several devices."""

    def apply(self, model: nn.Module) -> nn.Module:
        """Let every layer normalise by the whole batch."""
        for layer in _layers(model):
            layer.forward = partial(_normalised, layer)  # type: ignore[method-assign]
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        """Give every layer its own forward back."""
        for layer in _layers(model):
            vars(layer).pop("forward", None)
        return model


def _layers(model: nn.Module) -> list[_BatchNorm]:
    return [part for part in model.modules() if isinstance(part, _BatchNorm)]


def _normalised(layer: _BatchNorm, x_BK: Tensor) -> Tensor:
    """Return what the layer makes of its share (B, K, ...)."""
    # Without gradients statistics are measured again, by every process on the same batches: nothing is shared then.
    if not (layer.training and torch.is_grad_enabled()):
        return type(layer).forward(layer, x_BK)
    rows = [0, *range(2, x_BK.ndim)]
    shape = [1, -1, *[1] * (x_BK.ndim - 2)]
    given_BK = x_BK.to(torch.promote_types(x_BK.dtype, torch.float32))
    mean_K = _Average.apply(given_BK.mean(rows))
    apart_BK = given_BK - mean_K.view(shape)
    variance_K = _Average.apply(apart_BK.square().mean(rows))
    _keep(layer, mean_K.detach(), variance_K.detach(), x_BK.numel() // x_BK.shape[1] * process()[1])
    y_BK: Tensor = apart_BK * (variance_K + layer.eps).rsqrt().view(shape)
    if layer.affine:
        y_BK = y_BK * layer.weight.view(shape) + layer.bias.view(shape)
    y_BK = y_BK.to(x_BK.dtype)
    for name in ("drop", "act"):  # of timm's BatchNormAct2d
        part: nn.Module | None = getattr(layer, name, None)
        if part is not None:
            y_BK = part(y_BK)
    return y_BK


def _keep(layer: _BatchNorm, mean_K: Tensor, variance_K: Tensor, count: int) -> None:
    """Move the running statistics as the layer itself would."""
    if layer.running_mean is None or layer.running_var is None or layer.num_batches_tracked is None:
        return
    layer.num_batches_tracked += 1
    factor = 1 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
    layer.running_mean.lerp_(mean_K, factor)
    layer.running_var.lerp_(variance_K * count / max(count - 1, 1), factor)


class _Average(torch.autograd.Function):
    """The average over processes, of values and of their gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return _average(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _average(gradient)


def _average(value: Tensor) -> Tensor:
    total = value.clone(memory_format=torch.contiguous_format)
    torch.distributed.all_reduce(total)
    return total / process()[1]

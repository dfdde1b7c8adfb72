"""Class activation of windows for the heat map that is compared with their probability.

Source: Zhou et al. 2016, eq. 2: where features are averages of the last activations, the last layer's weights tell what
each place adds to a class. Here it is the margin of the likeliest type of defect over the clean class, negative places
taken as 0. Networks that end otherwise are explained by gradients, as in `analysis.cam`, times the probability of a
defect: those maps are stretched each by itself.
Shapes: B patches, H x W pixels, F features, h x w places of the last activations, C classes.
"""

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from glassline.analysis.cam import activation_maps
from glassline.errors import ModelError
from glassline.training.fitted import Fitted
from glassline.training.run_defective import clean_index, model_inputs, run_defective
from glassline.vision.annotated_images import Image
from glassline.vision.heat_map import Classify, Real

#: Most parts that a window is told in along an axis; finer maps are averaged.
MOST_PARTS = 8


def run_activation(fitted: Fitted) -> Classify:
    """Return what tells the activation (B, h, h) >= 0 of patches (B, 112, 112) for being defective.

    Raises:
        ModelError: The model has no clean class or no convolution.
    """
    clean = clean_index(fitted)
    layer, last = _last_convolution(fitted.model), _last_linear(fitted.model)
    run_defective(fitted)  # puts the model where it runs
    if layer is None:
        raise ModelError(
            f"a class activation map needs a convolution, {fitted.name} has none; localise by cnn or transfer"
        )
    if last is not None and _averages(fitted, layer):
        return _plain(fitted, layer, last, clean)
    return _by_gradient(fitted, clean)


def _last_convolution(model: nn.Module) -> nn.Module | None:
    for owner in (model, getattr(model, "image", None)):
        layer = getattr(owner, "last_convolution", None)
        if layer is not None:
            return cast(nn.Module, layer)
    return None


def _last_linear(model: nn.Module) -> nn.Linear | None:
    head = getattr(model, "head", None)
    last = head[-1] if isinstance(head, nn.Sequential) and len(head) else head
    return last if isinstance(last, nn.Linear) else None


def _activation(fitted: Fitted, layer: nn.Module, patch_BHW: Image) -> tuple[Tensor, Tensor]:
    """Return the last activations (B, F, h, w) and the features (B, F') of patches."""
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        features_BF = cast(Tensor, fitted.model.embed(*model_inputs(fitted, patch_BHW)))  # type: ignore[operator]
    finally:
        hook.remove()
    return kept[-1], features_BF


@torch.inference_mode()
def _averages(fitted: Fitted, layer: nn.Module) -> bool:
    """Return whether features are averages of the last activations over places, as tried on noise."""
    noise_BHW = np.random.default_rng(0).integers(0, 256, (2, 112, 112), dtype=np.uint8)
    activation_BFhw, features_BF = _activation(fitted, layer, noise_BHW)
    if activation_BFhw.ndim != 4 or activation_BFhw.shape[:2] != features_BF.shape:
        return False
    return bool(torch.allclose(activation_BFhw.mean((2, 3)), features_BF, rtol=1e-3, atol=1e-4))


def _plain(fitted: Fitted, layer: nn.Module, last: nn.Linear, clean: int) -> Classify:
    def run(patch_BHW: Image) -> Real:
        with torch.inference_mode():
            activation_BFhw, features_BF = _activation(fitted, layer, patch_BHW)
            type_B = _likeliest(last(features_BF), clean)
            weight_BF, bias_B = last.weight[type_B] - last.weight[clean], last.bias[type_B] - last.bias[clean]
            # Its mean over places is the margin itself.
            margin_Bhw = torch.einsum("bf,bfhw->bhw", weight_BF, activation_BFhw) + bias_B[:, None, None]
            return _coarse(margin_Bhw.clamp(min=0))

    return run


def _by_gradient(fitted: Fitted, clean: int) -> Classify:
    def run(patch_BHW: Image) -> Real:
        with torch.inference_mode():
            patch, unknown_BM = model_inputs(fitted, patch_BHW)
            logit_BC = cast(Tensor, fitted.model(patch, unknown_BM))
            defective_B = 1 - logit_BC.float().softmax(1)[:, clean]
        classes = _likeliest(logit_BC, clean).tolist()
        map_BHW = torch.from_numpy(activation_maps(fitted, patch_BHW, unknown_BM.cpu().numpy(), classes))
        return _coarse(map_BHW * defective_B.cpu()[:, None, None])

    return run


def _likeliest(logit_BC: Tensor, clean: int) -> Tensor:
    """Return the likeliest type of defect."""
    others_BC = logit_BC.clone()
    others_BC[:, clean] = -torch.inf
    return others_BC.argmax(1)


def _coarse(map_Bhw: Tensor) -> Real:
    parts = min(MOST_PARTS, *map_Bhw.shape[1:])
    return np.asarray(nn.functional.adaptive_avg_pool2d(map_Bhw[:, None], parts)[:, 0].float().cpu().numpy())

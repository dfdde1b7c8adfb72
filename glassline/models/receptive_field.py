"""How far a segmentation network sees: measured, by following one input that is no number."""

import torch
from torch import nn

# Wider than any network here sees; as high as all of them can halve.
_WIDTH_PX, _HEIGHT_PX = 4096, 64


def receptive_field_px(model: nn.Module, states: int, block_px: int) -> int:
    """Measure the edge of what one place of the finest output depends on.

    One block in the middle of one light state becomes NaN; NaN passes through every convolution and maximum that reads
    it, whatever the weights. What it reaches is as wide as what one output reads, up to the phase of the poolings.

    Args:
        model: Network with the contract of `NestedUnet.forward`; its width does not matter.
        states: Its light states.
        block_px: Edge of its blocks.

    Returns:
        Edge in px of the input.
    """
    sigmas_BSHW = torch.zeros(1, states, _HEIGHT_PX, _WIDTH_PX)
    sigmas_BSHW[:, 0, :, _WIDTH_PX // 2 : _WIDTH_PX // 2 + block_px] = float("nan")
    with torch.inference_mode():
        finest_BHW = model.eval()(sigmas_BSHW)[0]
    reached_W = finest_BHW.isnan().any(dim=1)[0].nonzero()
    return int(reached_W.max() - reached_W.min() + 1) * block_px

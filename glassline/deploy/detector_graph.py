"""The severity detector as an ONNX graph: 8-bit images in, severity out, of any batch and size.

Shapes: B images, H x W pixels, D channels, R x C cells of q x q px.
"""

import copy
from collections.abc import Iterable
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from glassline.deploy.export import onnx_graph
from glassline.models.severity_detector import Ahead, SeverityDetector
from glassline.training.fitted_detector import FittedDetector
from glassline.vision.severity import LARGEST

_LARGEST_BATCH, _LARGEST_CELLS = 256, 2**15


class DetectorGraph(nn.Module):
    """What the bundle runs: scaling, detector, cut to the range of severity."""

    def __init__(self, model: nn.Module) -> None:
        """Wrap a detector."""
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        """Return severity (B, R, C), 0 to 12, of (B, H, W) or red, green and blue (B, H, W, 3), uint8."""
        scaled = image.float() / 127.5 - 1
        image_BDHW = scaled[:, None] if image.ndim == 3 else scaled.permute(0, 3, 1, 2)
        severity_BRC: Tensor = self.model(image_BDHW).clamp(0.0, LARGEST)
        return severity_BRC


def detector_to_onnx(fitted: FittedDetector) -> bytes:
    """Return the ONNX graph: input `image` uint8 (B, H, W), or (B, H, W, 3) in colour; output `severity` (B, R, C).

    H and W are multiples of the cell.
    """
    told = fitted.settings.detector
    batch = torch.export.Dim("batch", min=1, max=_LARGEST_BATCH)
    down, across = (torch.export.Dim(name, min=1, max=_LARGEST_CELLS) for name in ("down", "across"))
    shapes = {"image": {0: batch, 1: told.cell_px * down, 2: told.cell_px * across}}
    example = torch.zeros(2, 64, 96, *([3] if told.colour else []), dtype=torch.uint8)
    return onnx_graph(DetectorGraph(fold_norms(fitted.model)), (example,), shapes, ["severity"])


def fold_norms(model: nn.Module) -> nn.Module:
    """Return a detector in evaluation mode whose normalisations are part of the convolutions before them.

    Four a stage's sums are read through are not: what they normalise is read elsewhere too.
    """
    folded = copy.deepcopy(model).eval()
    assert isinstance(folded, SeverityDetector)
    # A mean over pixels inside the image keeps scale and shift: the pooling between does not matter.
    folded.first = _fold(folded.first, folded.entry)
    for stage in (folded.stage_1, folded.stage_2):
        for branch in (stage.first, stage.second):
            for before, after in pairwise(cast("Iterable[Ahead]", branch)):
                before[2] = _fold(cast(nn.Conv2d, before[2]), after)
    return folded


def _fold(convolution: nn.Conv2d, after: Ahead) -> nn.Conv2d:
    """Return a convolution that normalises too, and take the normalisation out of what follows."""
    norm = cast(nn.BatchNorm2d, after[0])
    after[0] = nn.Identity()
    fused: nn.Conv2d = fuse_conv_bn_eval(convolution, norm)
    return fused

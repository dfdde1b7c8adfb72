"""Run fitted networks on arrays, on the GPU where there is one; a segmentation network as `vision.tiles` wants it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from glassline.training.fitted_segmenter import FittedSegmenter, ScoreGraph
from glassline.vision.light_states import Real
from glassline.vision.tiles import RunNetwork


def run_module(graph: nn.Module) -> Callable[[npt.NDArray[Any]], Real]:
    """Return what runs a module of one input and one output on arrays, on the GPU where there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    placed = graph.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(batch: npt.NDArray[Any]) -> Real:
        with torch.inference_mode():
            output = placed(torch.from_numpy(np.ascontiguousarray(batch)).to(device))
        return np.asarray(output.float().cpu().numpy(), np.float32)

    return run


def run_network(fitted: FittedSegmenter) -> RunNetwork:
    """Return what scores a batch of sigmas (B, S, H, W)."""
    return run_module(ScoreGraph(fitted))

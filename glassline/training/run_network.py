"""Run a fitted segmentation network as `vision.tiles` wants it, on the GPU where there is one."""

import numpy as np
import torch

from glassline.training.fitted_segmenter import FittedSegmenter, ScoreGraph
from glassline.vision.light_states import Real
from glassline.vision.tiles import RunNetwork


def run_network(fitted: FittedSegmenter) -> RunNetwork:
    """Return what scores a batch of sigmas (B, S, H, W)."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    graph = ScoreGraph(fitted).eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(sigmas_BSHW: Real) -> Real:
        with torch.inference_mode():
            score_BHW = graph(torch.from_numpy(np.ascontiguousarray(sigmas_BSHW)).to(device))
        return np.asarray(score_BHW.float().cpu().numpy(), np.float32)

    return run

"""Run a fitted severity detector as `vision.cell_tiles` wants it: by the graph that is handed out, or on the GPU.

Shapes: B images, H x W pixels, R x C cells.
"""

import torch

from glassline.deploy.detector_graph import DetectorGraph, detector_to_onnx
from glassline.deploy.graphs import open_graph
from glassline.training.fitted_detector import FittedDetector
from glassline.training.run_network import run_module
from glassline.vision.cell_tiles import RunDetector


def run_detector(fitted: FittedDetector) -> RunDetector:
    """Return what turns images (B, H, W) or (B, H, W, 3) of 8 bit into severity (B, R, C), 0 to 12."""
    if not torch.cuda.is_available():
        return open_graph(detector_to_onnx(fitted), fixed=True)[1]
    return run_module(DetectorGraph(fitted.model))

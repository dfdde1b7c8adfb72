"""Run a fitted severity detector as `vision.cell_tiles` wants it: by the graph that is handed out, or on the GPU.

Shapes: B images, H x W pixels, R x C cells.
"""

import numpy as np
import torch

from glassline.deploy.detector_graph import DetectorGraph, detector_to_onnx
from glassline.deploy.graphs import open_graph
from glassline.training.fitted_detector import FittedDetector
from glassline.vision.cell_tiles import Image, RunDetector, Severity


def run_detector(fitted: FittedDetector) -> RunDetector:
    """Return what turns images (B, H, W) or (B, H, W, 3) of 8 bit into severity (B, R, C), 0 to 12."""
    if not torch.cuda.is_available():
        return open_graph(detector_to_onnx(fitted), fixed=True)[1]
    graph = DetectorGraph(fitted.model).eval().to("cuda", memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(images: Image) -> Severity:
        with torch.inference_mode():
            severity_BRC = graph(torch.from_numpy(np.ascontiguousarray(images)).to("cuda"))
        return np.asarray(severity_BRC.float().cpu().numpy(), np.float32)

    return run

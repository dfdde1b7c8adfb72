"""Export a fitted severity detector as a bundle: 8-bit images in, severity out, of any size; types beside it.

Shapes: H x W pixels, R x C cells, N windows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from glassline.data.storage import written_whole
from glassline.deploy.bundle import Manifest, load_bundle, write_bundle
from glassline.deploy.card import detector_card
from glassline.deploy.detector import GRAPH, GRAPH_INT8, GRAPH_TYPES, Detector, DetectorPreprocessing
from glassline.deploy.detector_graph import DetectorGraph, detector_to_onnx
from glassline.deploy.export import TOLERANCE, check_parity
from glassline.deploy.export_types import check_types, types_to_onnx
from glassline.deploy.quantise import quantised
from glassline.errors import ModelError
from glassline.training.fitted_detector import FittedDetector
from glassline.training.fitted_types import FittedTypes
from glassline.vision.cell_tiles import CellTileSettings
from glassline.vision.defects import DefectSettings
from glassline.vision.severity import LARGEST
from glassline.vision.type_windows import CLEAN

Image = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]
#: Severity of torch and of the runtime may differ by this share of its range; probabilities by TOLERANCE.
SEVERITY_TOLERANCE = LARGEST * TOLERANCE


def export_detector(
    fitted: FittedDetector, types: FittedTypes, path: str | Path, tiles: Sequence[Image], windows: Image,
    find: DefectSettings, pitch_um: float | None, data_hash: str, code_version: str, metrics: Mapping[str, float],
) -> Manifest:  # fmt: skip
    """Write a bundle of system E, unless the runtime that will run it disagrees with torch.

    Args:
        fitted: The detector.
        types: The classifier of its defects.
        path: The zip to write.
        tiles: Real images (H, W) or (H, W, 3), multiples of the cell, one shape: parity is checked on them, and the
            ranges of 8-bit arithmetic are taken from them.
        windows: Real windows (N, w, w) or (N, w, w, 3) that the classifier's parity is checked on.
        find: Thresholds; editable in the bundle.
        pitch_um: Pixel pitch of the training images, None where unknown or not one.
        data_hash: Content hash of the training samples.
        code_version: Git commit of the code.
        metrics: Figures on images that the detector never saw.

    Raises:
        ModelError: A severity or probability differs by more than the tolerance.
    """
    detector, graph = fitted.settings.detector, detector_to_onnx(fitted)
    told = DetectorPreprocessing(
        cell_px=detector.cell_px, colour=detector.colour, depth_window=fitted.settings.depth_window,
        tiles=CellTileSettings(), window_px=types.window_px,
    )  # fmt: skip
    edge = told.tiles.tile_cells * detector.cell_px
    manifest = Manifest(
        system="E", model=f"severity_{detector.cell_px}px", classes=types.classes, clean_class=CLEAN,
        input_px=(edge, edge), bit_depth=8, channels=3 if detector.colour else 1, pitch_um=pitch_um, attributes=(),
        preprocessing=told.model_dump(mode="json"), data_hash=data_hash, code_version=code_version,
        metrics=dict(metrics), parity={}, sha256={},
    )  # fmt: skip
    files = {
        GRAPH: graph, GRAPH_INT8: quantised(graph, tiles, (0.0, LARGEST)), GRAPH_TYPES: types_to_onnx(types),
        "card.md": b"",
    }  # fmt: skip
    thresholds: dict[str, Any] = find.model_dump(mode="json")
    with written_whole(path) as beside:
        # The gate reads the very graphs that are handed out: written, loaded, run, and only then kept.
        write_bundle(beside, manifest, files, thresholds)
        parity = _parity(fitted, types, beside, tiles, windows, find.threshold)
        manifest = manifest.model_copy(update={"parity": parity})
        files["card.md"] = detector_card(manifest, len(tiles), find).encode()
        return write_bundle(beside, manifest, files, thresholds)


def _parity(
    fitted: FittedDetector, types: FittedTypes, path: Path, tiles: Sequence[Image], windows: Image, threshold: float
) -> dict[str, float]:
    """Return how far each arithmetic is from torch: in float32 within the tolerance, the coarse ones as they are."""
    graph, bundle = DetectorGraph(fitted.model).eval(), load_bundle(path)
    with torch.inference_mode():
        expected = [graph(torch.from_numpy(tile[None].copy())).numpy() for tile in tiles]
    exact = Detector(bundle)
    worst = max(
        check_parity(severity_BRC / LARGEST, exact.run(tile[None]) / LARGEST, runtime=exact.runtime)
        for severity_BRC, tile in zip(expected, tiles, strict=True)
    )
    parity = {"largest_difference": worst * LARGEST, "tolerance": SEVERITY_TOLERANCE}
    if exact.run_types is not None and len(windows):
        parity["types_largest_difference"] = check_types(types, exact.run_types, windows, exact.runtime)
    coarse = {"int8": Detector(bundle, precision="int8")}
    if exact.runtime == "openvino":
        coarse["bf16"] = Detector(bundle, precision="bf16")
    for name, one in coarse.items():
        parity |= _loss(name, expected, [one.run(tile[None]) for tile in tiles], threshold)
    return parity


def _loss(name: str, expected: Sequence[Real], got: Sequence[Real], threshold: float) -> dict[str, float]:
    """Return what an arithmetic costs: differences of severity, and the share of cells that change sides."""
    one_N, other_N = (np.concatenate([part.ravel() for part in parts]) for parts in (expected, got))
    if not np.isfinite(other_N).all():
        raise ModelError(f"the graph in {name} must give finite severities, got others; export with more tiles")
    apart_N = np.abs(one_N - other_N)
    return {
        f"{name}_largest_difference": float(apart_N.max()),
        f"{name}_mean_difference": float(apart_N.mean()),
        f"{name}_cells_changed": float(((one_N >= threshold) != (other_N >= threshold)).mean()),
    }

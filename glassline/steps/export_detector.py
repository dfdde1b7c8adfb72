"""Export detector and classifier as a bundle with their thresholds, unless the runtime disagrees with torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassline.data.glass_split import numbers_of
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.report.detection_result import DetectionResult
from glassline.steps.label_severity import labelled_images
from glassline.steps.train_regression import read_threshold
from glassline.tracking import BUNDLE, commit, step_run
from glassline.tracking.registry import log_onnx_model, register_model
from glassline.vision.annotated_images import AnnotatedImages, Image
from glassline.vision.defects import DefectSettings
from glassline.vision.type_windows import cut_window

_FOLDER, _ZIP = BUNDLE.split("/")
# Validation images that the gate reads a tile of, and that 8-bit arithmetic takes its ranges from; edge of a tile.
_COMPARED, _TILE_PX = 16, 256


def export_detector(
    samples_path: str, labels_path: str, model_path: str, types_path: str, evaluation_path: str,
    defects: Mapping[str, Any], registered_model: str, bundle_path: str,
) -> None:  # fmt: skip
    """Export to ONNX, check parity on tiles of validation images, and register the bundle as `challenger`.

    Args:
        samples_path: Table of images.
        labels_path: Folder written by `label_severity`.
        model_path: Folder written by `train_regression`.
        types_path: Folder written by `train_defect_types`.
        evaluation_path: Folder written by `evaluate_detection`.
        defects: Fields of `JoinSettings`.
        registered_model: Name in the registry.
        bundle_path: Folder for `bundle.zip`.

    Raises:
        ModelError: A severity or probability differs by more than the tolerance.
    """
    from glassline.deploy.bundle import load_bundle
    from glassline.deploy.detector import GRAPH, Detector
    from glassline.deploy.export_detector import export_detector as export
    from glassline.training.fitted_detector import load_detector
    from glassline.training.fitted_types import load_types

    with step_run("export_detector", {"defects": dict(defects), "registered_model": registered_model}) as run:
        detector, types = load_detector(model_path), load_types(types_path)
        images, split = labelled_images(samples_path, labels_path, detector.settings)
        tiles = _tiles(images, numbers_of(images.groups, split.validation))
        edge = types.window_px
        windows = np.stack([cut_window(tile, (_TILE_PX // 2 - edge // 2,) * 2, edge, edge) for tile in tiles])
        with written_whole(bundle_path) as beside:
            beside.mkdir(parents=True)
            manifest = export(
                detector, types, beside / _ZIP, tiles, windows,
                DefectSettings.parse({**defects, "threshold": read_threshold(model_path)}), _pitch_um(images),
                read_samples(samples_path, "images").content_hash(), commit(), _figures(evaluation_path),
            )  # fmt: skip
        run.metrics({f"parity_{name}": value for name, value in manifest.parity.items()})
        run.metrics({"parity_tiles": len(tiles), **manifest.metrics})
        run.artifact(Path(bundle_path) / _ZIP, _FOLDER)
        bundle, tile_BHW = load_bundle(Path(bundle_path) / _ZIP), tiles[0][None]
        severity_BRC = Detector(bundle).run(tile_BHW)
        uri = log_onnx_model(run.run_id, bundle.files[GRAPH], {"image": tile_BHW}, {"severity": severity_BRC})
        run.tags({"glassline.model_uri": uri})
        register_model(registered_model, run.run_id, {"table_hash": manifest.data_hash, "model": manifest.model})


def _tiles(images: AnnotatedImages, numbers: list[int]) -> list[Image]:
    """Return a tile of each of the first images, around a defect where there is one, mirrored beyond small images."""
    tiles = []
    for number in numbers[:_COMPARED]:
        row_N, column_N = np.nonzero(images.mask(number))
        height, width = images.sizes_px[number]
        y, x = (int(row_N.mean()), int(column_N.mean())) if len(row_N) else (height // 2, width // 2)
        corner = tuple(max(0, min(at - _TILE_PX // 2, size - _TILE_PX)) for at, size in ((x, width), (y, height)))
        tiles.append(cut_window(images.pixels(number), (corner[0], corner[1]), _TILE_PX, _TILE_PX))
    return tiles


def _pitch_um(images: AnnotatedImages) -> float | None:
    """Return the pixel pitch that all images have, None where it is unknown or not one."""
    pitches = set(images.pitches_um)
    pitch = pitches.pop()
    return None if pitches or np.isnan(pitch) else pitch


def _figures(evaluation_path: str) -> dict[str, float]:
    """Return the figures on test images, all four stages."""
    full = DetectionResult.read(evaluation_path).methods.iloc[0].drop("method")
    return {str(name): float(value) for name, value in full.items() if not np.isnan(value)}

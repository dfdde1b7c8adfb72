"""Export the segmentation network as a bundle with its thresholds, unless the runtime disagrees with torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassline.data.captures.window import Window
from glassline.data.glass_split import numbers_of, read_split
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.steps.judge_glasses import POINT
from glassline.steps.train_unet import SPLIT, captured_zones
from glassline.tracking import BUNDLE, commit, step_run
from glassline.tracking.registry import log_onnx_model, register_model
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.light_states import Real
from glassline.vision.network_input import network_input
from glassline.vision.scratches import FindSettings
from glassline.vision.tiles import TileSettings

if TYPE_CHECKING:
    from glassline.training.fitted_segmenter import FittedSegmenter

_FOLDER, _ZIP = BUNDLE.split("/")
# Zones of validation glasses that the gate reads a patch of.
_COMPARED = 4


def export_unet(
    samples_path: str, model_path: str, verdicts_path: str, tiles: Mapping[str, Any], find: Mapping[str, Any],
    registered_model: str, bundle_path: str,
) -> None:  # fmt: skip
    """Export to ONNX, check parity on patches of validation glasses, and register the bundle as `challenger`.

    Args:
        samples_path: Table of images.
        model_path: Folder written by `train_unet`.
        verdicts_path: Folder written by `judge_glasses`.
        tiles: Fields of `TileSettings`.
        find: Fields of `FindSettings`; the high threshold is the chosen one.
        registered_model: Name in the registry.
        bundle_path: Folder for `bundle.zip`.

    Raises:
        ModelError: A score differs by more than the tolerance.
    """
    from glassline.deploy.bundle import load_bundle
    from glassline.deploy.export_segmenter import export_bundle
    from glassline.deploy.segmenter import Segmenter
    from glassline.training.fitted_segmenter import load_segmenter

    params = {"tiles": dict(tiles), "find": dict(find), "registered_model": registered_model}
    with step_run("export_unet", params) as run:
        fitted, split = load_segmenter(model_path), read_split(Path(model_path) / SPLIT)
        table = read_samples(samples_path, "images")
        zones = captured_zones(table, fitted.settings.labels)
        verdicts = json.loads((Path(verdicts_path) / POINT).read_text())
        sigmas = _patches(zones, fitted, numbers_of(zones.groups, split.validation))
        with written_whole(bundle_path) as beside:
            beside.mkdir(parents=True)
            manifest = export_bundle(
                fitted, beside / _ZIP, sigmas, TileSettings.parse(tiles),
                FindSettings.parse({**find, "high": verdicts["chosen"]["high"]}), table.content_hash(), commit(),
                _figures(verdicts["test"]),
            )  # fmt: skip
        run.metrics({f"parity_{name}": value for name, value in manifest.parity.items()})
        run.metrics({"parity_patches": len(sigmas), **manifest.metrics})
        run.artifact(Path(bundle_path) / _ZIP, _FOLDER)
        bundle = load_bundle(Path(bundle_path) / _ZIP)
        score_Bhw = Segmenter(bundle).run(sigmas[0])
        uri = log_onnx_model(run.run_id, bundle.files["model.onnx"], {"sigmas": sigmas[0]}, {"score": score_Bhw})
        run.tags({"glassline.model_uri": uri})
        register_model(registered_model, run.run_id, {"table_hash": manifest.data_hash, "model": manifest.model})


def _patches(zones: LabelledZones, fitted: "FittedSegmenter", numbers: list[int]) -> list[Real]:
    """Return the network's input (1, S, H, W) of a patch of each of the first zones."""
    settings = fitted.settings
    edge = settings.patch_px
    return [
        network_input(
            zones.frames(number, fitted.format, Window(0, 0, edge, edge)), fitted.format.pattern,
            settings.direction_blind,
        )[None]
        for number in numbers[:_COMPARED]
    ]  # fmt: skip


def _figures(rates: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the errors on test glasses and zones as metrics."""
    return {f"{unit}_{name}": float(value) for unit, of_unit in rates.items() for name, value in of_unit.items()}

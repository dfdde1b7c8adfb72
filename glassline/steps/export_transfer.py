"""Export the classifier of windows as a bundle with its thresholds, unless the runtime disagrees with torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows
from glassline.data.storage import written_whole
from glassline.deploy.thresholds import LEAST_HEAT, LEAST_PROBABILITY
from glassline.steps.localise_defects import METRICS
from glassline.steps.train_ensemble import VALIDATION_FOLD
from glassline.steps.train_transfer import EVALUATION
from glassline.tracking import BUNDLE, commit, step_run
from glassline.tracking.registry import log_onnx_model, register_model
from glassline.vision.cut_patches import CutSettings, extraction
from glassline.vision.heat_map import LocaliseSettings
from glassline.vision.heat_store import HEAT

_FOLDER, _ZIP = BUNDLE.split("/")
# Validation patches that the gate compares; figures of the manifest.
_COMPARED = 256
_FIGURES = ("tpr", "tnr", "average_precision")


def export_transfer(
    target_path: str, model_path: str, evaluation_path: str, located_path: str, cut: Mapping[str, Any],
    localise: Mapping[str, Any], registered_model: str, bundle_path: str,
) -> None:  # fmt: skip
    """Export to ONNX, check parity on validation patches, and register the bundle as `challenger`.

    Args:
        target_path: Table of patches with folds.
        model_path: Folder written by `train_transfer`.
        evaluation_path: The other one: it holds the probability from which an image is defective.
        located_path: Folder written by `localise_defects`: it holds the heat from which pixels are in a box.
        cut: Fields of `CutSettings` that the patches were cut with.
        localise: Fields of `LocaliseSettings` that boxes were made with.
        registered_model: Name in the registry.
        bundle_path: Folder for `bundle.zip`.

    Raises:
        ModelError: A probability differs by more than the tolerance.
    """
    from glassline.deploy.bundle import load_bundle
    from glassline.deploy.export_transfer import export_transfer as export
    from glassline.deploy.runtime import OnnxClassifier
    from glassline.training.fitted import load_fitted

    params = {"cut": dict(cut), "localise": dict(localise), "registered_model": registered_model}
    with step_run("export_transfer", params) as run:
        table, fitted = read_samples(target_path, "patches", extra=["fold"]), load_fitted(model_path)
        rows = table.rows.iloc[test_rows(table, VALIDATION_FOLD)[:_COMPARED]]
        patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
        evaluation = json.loads((Path(evaluation_path) / EVALUATION).read_text())
        boxes = json.loads((Path(located_path) / METRICS).read_text()).get(HEAT, {})
        preprocessing = _preprocessing(table, cut, localise)
        thresholds = {LEAST_PROBABILITY: evaluation["threshold"]}
        if "extract" not in preprocessing:  # windows, of which boxes are made where places were told
            thresholds[LEAST_HEAT] = boxes.get("threshold")
        figures = {name: evaluation[name] for name in _FIGURES if evaluation[name] is not None}
        with written_whole(bundle_path) as beside:
            beside.mkdir(parents=True)
            manifest = export(
                fitted, beside / _ZIP, patch_NHW, preprocessing, thresholds,
                table.content_hash(), commit(), figures,
            )  # fmt: skip
        bundle = load_bundle(Path(bundle_path) / _ZIP)
        run.metrics({"parity_largest_difference": manifest.parity["largest_difference"]})
        run.artifact(Path(bundle_path) / _ZIP, _FOLDER)
        few_NHW = patch_NHW[:2]
        nothing_NM = few_NHW.reshape(len(few_NHW), -1)[:, :0].astype("float32")
        probability_NC = OnnxClassifier(bundle).predict(few_NHW, nothing_NM)
        uri = log_onnx_model(
            run.run_id, bundle.files["model.onnx"], {"patch": few_NHW, "metadata": nothing_NM},
            {"probability": probability_NC},
        )  # fmt: skip
        run.tags({"glassline.model_uri": uri})
        register_model(registered_model, run.run_id, {"table_hash": manifest.data_hash, "model": manifest.model})


def _preprocessing(table: SampleTable, cut: Mapping[str, Any], localise: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an inspector cuts of an image: windows, and how they are laid for boxes; or else candidates."""
    settings = CutSettings.parse(cut)
    if any(str(name).startswith("attr_") for name in table.rows):
        return {"extract": extraction(settings).model_dump(mode="json")}
    boxes = LocaliseSettings.parse(localise).model_dump(mode="json")
    return {"cut": settings.model_dump(mode="json", exclude={"extract"}), "localise": boxes}

"""Export the trained model as a bundle, unless ONNX Runtime disagrees with torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassline.analysis.metrics import classifier_metrics
from glassline.analysis.pooling import judge_units
from glassline.data.samples import read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows
from glassline.data.storage import written_whole
from glassline.deploy.bundle import Manifest, write_bundle
from glassline.steps.train_ensemble import TEST_FOLD
from glassline.tracking import BUNDLE, commit, step_run
from glassline.tracking.registry import log_onnx_model
from glassline.vision.patches import ExtractSettings

_FOLDER, _ZIP = BUNDLE.split("/")


def export_model(augmented_path: str, model_path: str, extract: Mapping[str, Any], bundle_path: str) -> str:
    """Export to ONNX, check parity on held-out samples, write the bundle, and return the run's id.

    Args:
        augmented_path: Table of patches with folds.
        model_path: Folder written by `train_ensemble`.
        extract: Fields of `ExtractSettings` that the patches were made with.
        bundle_path: Folder for `bundle.zip`.

    Raises:
        ModelError: A probability differs by more than the tolerance.
    """
    from glassline.deploy.bundle import load_bundle
    from glassline.deploy.card import model_card
    from glassline.deploy.export import TOLERANCE, check_parity, to_onnx
    from glassline.deploy.runtime import OnnxClassifier
    from glassline.training.fitted import load_fitted, predict

    with step_run("export_model", {"extract": dict(extract), "tolerance": TOLERANCE}) as run:
        settings = ExtractSettings.parse(extract)
        table, fitted = read_samples(augmented_path, "patches", extra=["fold"]), load_fitted(model_path)
        rows_N = test_rows(table, TEST_FOLD)
        rows = table.rows.iloc[rows_N]
        patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
        metadata_NM = rows[list(fitted.attributes)].to_numpy(np.float32, copy=True)
        expected_NC = predict(fitted, table, rows_N)
        judged = judge_units(rows, expected_NC, fitted.classes, fitted.clean_class)
        metrics = classifier_metrics(judged["actual"], judged["predicted"], fitted.classes)
        files = {"model.onnx": to_onnx(fitted)}
        if settings.systematic:
            files["systematic.png"] = (Path(table.root) / "systematic.png").read_bytes()
        manifest = Manifest(
            system="A", model=fitted.name, classes=fitted.classes, clean_class=fitted.clean_class,
            input_px=(patch_NHW.shape[1], patch_NHW.shape[2]), bit_depth=8, channels=1, pitch_um=None,
            attributes=fitted.attributes, preprocessing={"extract": settings.model_dump(mode="json")},
            data_hash=table.content_hash(), code_version=commit(), metrics=metrics.as_dict(), parity={}, sha256={},
        )  # fmt: skip
        with written_whole(bundle_path) as beside:
            beside.mkdir(parents=True)
            # The gate reads the very graph that is handed out: written, loaded, run, and only then kept.
            write_bundle(beside / _ZIP, manifest, {**files, "card.md": b""}, {})
            onnx_NC = OnnxClassifier(load_bundle(beside / _ZIP)).predict(patch_NHW, metadata_NM)
            worst = check_parity(expected_NC, onnx_NC)
            manifest = manifest.model_copy(update={"parity": {"largest_difference": worst, "tolerance": TOLERANCE}})
            files["card.md"] = model_card(manifest, len(rows_N)).encode()
            write_bundle(beside / _ZIP, manifest, files, {"least_probability": dict.fromkeys(fitted.classes, 0.0)})
        run.metrics({"parity_largest_difference": worst, "parity_samples": len(rows_N), **metrics.as_dict()})
        run.artifact(Path(bundle_path) / _ZIP, _FOLDER)
        uri = log_onnx_model(
            run.run_id, files["model.onnx"], {"patch": patch_NHW[:2], "metadata": metadata_NM[:2]},
            {"probability": onnx_NC[:2]},
        )  # fmt: skip
        run.tags({"glassline.model_uri": uri})
        return run.run_id

"""Export the trained model as a bundle; one with which ONNX Runtime says other than torch is not handed out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.metrics import classifier_metrics
from glassline.analysis.pooling import judge_units
from glassline.analysis.unknown import unit_distance, unknown_threshold
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows
from glassline.data.storage import written_whole
from glassline.data.store import open_store
from glassline.deploy.bundle import write_bundle
from glassline.deploy.references import read_references
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import LEAST_PROBABILITY, UNKNOWN_DISTANCE
from glassline.steps.train_ensemble import TEST_FOLD, VALIDATION_FOLD
from glassline.tracking import BUNDLE, commit, step_run
from glassline.tracking.champion import FITTED
from glassline.tracking.registry import log_onnx_model
from glassline.training.failed_fit import failure_of, write_failure
from glassline.vision.patches import ExtractSettings

_FOLDER, _ZIP = BUNDLE.split("/")
# Share of units of known classes that a metric network may call unknown, of the fold that its threshold is chosen on.
_FALSE_UNKNOWN_RATE = 0.05


class _Fold(NamedTuple):
    """Samples of a fold as a bundle reads them."""

    rows: pd.DataFrame
    patch_NHW: npt.NDArray[np.uint8]
    metadata_NM: npt.NDArray[np.float32]


def export_model(
    augmented_path: str, model_path: str, model: str, extract: Mapping[str, Any], bundle_path: str, strict: bool = True
) -> str:
    """Export to ONNX, check parity on held-out samples, write the bundle, and return the run's id.

    A bundle without parity is never logged, so that nobody can register it. Of a candidate whose training failed the
    folder tells so.

    Args:
        augmented_path: Table of patches with folds.
        model_path: Folder written by `train_ensemble` or `train_triplet`.
        model: Its name.
        extract: Fields of `ExtractSettings` that the patches were made with.
        bundle_path: Folder for `bundle.zip`.
        strict: Fail without parity; else the bundle tells it to the gate, which refuses it, and other candidates go on.

    Raises:
        ModelError: `strict`, and a probability, or an embedding or distance of a metric network, differs by more than
            the tolerance.
    """
    from glassline.analysis.separation import separation
    from glassline.deploy.bundle import load_bundle
    from glassline.deploy.card import model_card
    from glassline.deploy.export import (
        TOLERANCE,
        check_parity,
        classifier_files,
        classifier_manifest,
        largest_difference,
    )
    from glassline.training.fitted import embed, load_fitted, predict

    with step_run(
        "export_model", {"model": model, "extract": dict(extract), "tolerance": TOLERANCE}, part=model
    ) as run:
        settings = ExtractSettings.parse(extract)
        if failure := failure_of(model_path):
            write_failure(bundle_path, failure)
            return run.run_id
        table, fitted = read_samples(augmented_path, "patches", extra=["fold"]), load_fitted(model_path)
        rows_N, fold = test_rows(table, TEST_FOLD), _fold(table, TEST_FOLD, fitted.attributes)
        expected_NC = predict(fitted, table, rows_N)
        judged = judge_units(fold.rows, expected_NC, fitted.classes, fitted.clean_class)
        metrics = classifier_metrics(judged["actual"], judged["predicted"], fitted.classes).as_dict()
        data_hash = table.content_hash()
        files = classifier_files(fitted, data_hash)
        manifest = classifier_manifest(fitted, settings.model_dump(mode="json"), data_hash, commit(), metrics)
        thresholds: dict[str, Any] = {LEAST_PROBABILITY: dict.fromkeys(fitted.classes, 0.0)}
        if settings.systematic:
            files["systematic.png"] = open_store(table.root).file("systematic.png").read_bytes()
        with written_whole(bundle_path) as beside:
            beside.mkdir(parents=True)
            # The gate reads the very graph that is handed out: written, loaded, run, and only then kept.
            write_bundle(beside / _ZIP, manifest, {**files, "card.md": b""}, {})
            bundle = load_bundle(beside / _ZIP)
            classifier = OnnxClassifier(bundle)
            onnx_NC = classifier.predict(fold.patch_NHW, fold.metadata_NM)
            pairs = [(expected_NC, onnx_NC)]
            if manifest.system == "B":
                given = fold.patch_NHW, fold.metadata_NM
                distance_N = classifier.nearest_distance(*given)
                nearest = separation(fitted, table, rows_N)[["own", "other"]].min(axis=1).to_numpy(np.float32)
                pairs += [(embed(fitted, table, rows_N), classifier.embed(*given)), (nearest, distance_N)]
                validation = _fold(table, VALIDATION_FOLD, fitted.attributes)
                held_N = classifier.nearest_distance(validation.patch_NHW, validation.metadata_NM)
                threshold = unknown_threshold(unit_distance(validation.rows, held_N), _FALSE_UNKNOWN_RATE)
                thresholds[UNKNOWN_DISTANCE] = threshold
                metrics["false_unknown_rate"] = float((unit_distance(fold.rows, distance_N) > threshold).mean())
            worst = _worst([(check_parity if strict else largest_difference)(*pair) for pair in pairs])
            parity = {"largest_difference": worst, "tolerance": TOLERANCE}
            manifest = manifest.model_copy(update={"parity": parity, "metrics": metrics})
            files["card.md"] = model_card(manifest, len(fold.rows), thresholds).encode()
            write_bundle(beside / _ZIP, manifest, files, thresholds)
        run.metrics({"parity_largest_difference": worst, "parity_samples": len(fold.rows), **metrics})
        if worst > TOLERANCE:
            run.note(f"ONNX Runtime differs from torch by {worst:.3g}, allowed {TOLERANCE:g}: the bundle is not kept")
            return run.run_id
        run.artifact(Path(bundle_path) / _ZIP, _FOLDER)
        run.artifact(model_path, FITTED)  # what the next cycle starts from
        uri = log_onnx_model(
            run.run_id, files["model.onnx"],
            {
                "patch": fold.patch_NHW[:2], "metadata": fold.metadata_NM[:2],
                **(read_references(bundle).inputs(fitted.classes) if manifest.system == "B" else {}),
            },
            {"probability": onnx_NC[:2]},
        )  # fmt: skip
        run.tags({"glassline.model_uri": uri})
        return run.run_id


def _worst(differences: Sequence[float]) -> float:
    """Return the largest difference; the largest float for one that is no number, which a manifest cannot hold."""
    worst = float(np.max(differences))
    return worst if np.isfinite(worst) else float(np.finfo(np.float64).max)


def _fold(table: SampleTable, fold: int, attributes: Sequence[str]) -> _Fold:
    rows = table.rows.iloc[test_rows(table, fold)]
    patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    return _Fold(rows, patch_NHW, rows[list(attributes)].to_numpy(np.float32, copy=True))

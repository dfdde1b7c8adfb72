"""Test masks of captures decide nothing: replaced by noise, every probability stays what it was, to the last bit."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pycocotools import mask as coco_mask

from glassline.data.importers import read_source
from glassline.data.samples import SampleTable
from glassline.data.splits import assign_folds, test_rows, train_rows
from glassline.data.store import open_store
from glassline.training.fitted import predict
from glassline.training.loop import fit_model
from glassline.training.settings import TrainingSettings
from glassline.vision.candidates import CandidateSettings
from glassline.vision.patches import ExtractSettings, extract_patches

SETTINGS = ExtractSettings(candidates=CandidateSettings(per_image=3, threshold_sigma=3), depth_window=(0, 4095))


def _table(captures: Path, store: Path) -> SampleTable:
    return extract_patches(read_source(captures, "captures"), store, SETTINGS, lambda done, total: None)[0]


def _probabilities(table: SampleTable, store: Path) -> np.ndarray:
    settings = TrainingSettings(epochs=1, threads=1)
    none, train_N = test_rows(table, 0)[:0], train_rows(table, 0)
    fitted = fit_model(
        "ensemble_fusion", table, train_N, none, settings, 0, open_store(store / "checkpoints"), lambda *_: None
    )
    return predict(fitted, table, test_rows(table, 0))


def _noise(labels: dict, glasses: set[str]) -> None:
    """Give every zone of these glasses one object of another class and a mask of noise."""
    generator = np.random.default_rng(0)
    for zone in labels["zones"]:
        if zone["glass"] in glasses:
            noise_HW = generator.random((zone["height_px"], zone["width_px"])) < 0.5
            runs = coco_mask.encode(np.asfortranarray(noise_HW.astype(np.uint8)))
            segmentation = {"size": runs["size"], "counts": runs["counts"].decode()}
            box = [0, 0, zone["width_px"], zone["height_px"]]
            zone["objects"] = [{"label": "dent", "bbox": box, "segmentation": segmentation}]


def test_predictions_on_captures_stay_the_same_when_every_test_mask_is_replaced_by_noise(
    write_labelled: Callable[..., Path], tmp_path: Path
) -> None:
    captures = write_labelled(tmp_path / "captures", glasses=9)
    before = assign_folds(_table(captures, tmp_path / "before"), 3, seed=0)
    fold_of = dict(zip(before.rows["group"], before.rows["fold"], strict=True))
    labels = json.loads((captures / "labels.json").read_text())
    _noise(labels, {group for group, fold in fold_of.items() if fold == 0})
    (captures / "labels.json").write_text(json.dumps(labels))
    noisy = _table(captures, tmp_path / "after")
    after = noisy.with_rows(noisy.rows.assign(fold=noisy.rows["group"].map(fold_of)))
    held = test_rows(before, 0)
    with pytest.raises(AssertionError):  # the noise did arrive
        pd.testing.assert_series_equal(before.rows["label"].iloc[held], after.rows["label"].iloc[held])
    np.testing.assert_array_equal(
        _probabilities(before, tmp_path / "before"), _probabilities(after, tmp_path / "after")
    )

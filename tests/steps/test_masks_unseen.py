"""Test masks decide nothing: replaced by noise, every prediction stays what it was, to the last bit."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from glassline.analysis.pooling import judge_units
from glassline.data.importers import read_source
from glassline.data.samples import SampleTable
from glassline.data.splits import assign_folds, test_rows, train_rows
from glassline.data.store import open_store
from glassline.training.methods import fit_and_predict
from glassline.training.settings import TrainingSettings
from glassline.vision.candidates import magnetic_tile_candidates
from glassline.vision.patches import ExtractSettings, extract_patches

CLASSES = ("Blowhole", "Break", "Uneven", "Free")
FOLDS, PER_CLASS = 3, 9
METHODS = ("cnn", "ensemble_fusion", "triplet", "siamese", "knn", "naive_bayes", "svm")


@pytest.fixture
def tiles(shared_data: Path, tmp_path: Path) -> Path:
    """Copy a few real tiles of four classes, of different groups as far as there are."""
    source = shared_data / "magnetic_tile"
    groups = pd.read_csv(source / "groups.csv", dtype=str)
    chosen = []
    for name in CLASSES:
        of_class = groups[groups["class"] == f"MT_{name}"]
        first = of_class.drop_duplicates("group")
        chosen.append(pd.concat([first, of_class.drop(first.index)]).head(PER_CLASS))
    kept = pd.concat(chosen)
    for path in kept["path"]:
        relative = Path(path).relative_to("magnetic_tile")
        (tmp_path / "tiles" / relative).parent.mkdir(parents=True, exist_ok=True)
        for suffix in (".jpg", ".png"):
            shutil.copyfile(
                (source / relative).with_suffix(suffix), (tmp_path / "tiles" / relative).with_suffix(suffix)
            )
    kept.to_csv(tmp_path / "tiles" / "groups.csv", index=False)
    return tmp_path / "tiles"


def _table(tiles: Path, store: Path) -> SampleTable:
    settings = ExtractSettings(candidates=magnetic_tile_candidates())
    images = read_source(tiles, "mask-folder", clean_class="Free")
    return assign_folds(extract_patches(images, store, settings, lambda done, total: None)[0], FOLDS, seed=0)


def _predictions(table: SampleTable, store: Path) -> pd.DataFrame:
    settings = TrainingSettings.parse({"epochs": 1, "class_weights": "root", "threads": 1, "cnn": {"pool_px": 4}})
    rows_N, judged = test_rows(table, 0), []
    for name in METHODS:
        probability_NC, _ = fit_and_predict(
            name, table, train_rows(table, 0), rows_N, settings, 0, open_store(store / "checkpoints"), lambda *_: None
        )
        one = judge_units(table.rows.iloc[rows_N], probability_NC, table.classes, table.clean_class)
        judged.append(one.assign(method=name))
    return pd.concat(judged, ignore_index=True)


def test_predictions_stay_the_same_when_every_test_mask_is_replaced_by_noise(tiles: Path, tmp_path: Path) -> None:
    before = _table(tiles, tmp_path / "before")
    generator = np.random.default_rng(0)
    tested = sorted(set(before.rows["image"].iloc[test_rows(before, 0)]))
    for image in tested:
        mask = (tiles / image).with_suffix(".png")
        with Image.open(mask) as opened:
            size = opened.size
        noise_HW = (generator.random(size[::-1]) < 0.5).astype(np.uint8) * 255
        Image.fromarray(noise_HW).save(mask)
    after = _table(tiles, tmp_path / "after")
    held = test_rows(before, 0)
    assert not before.rows["overlap"].iloc[held].equals(after.rows["overlap"].iloc[held])  # the noise did arrive
    pd.testing.assert_frame_equal(
        _predictions(before, tmp_path / "before"), _predictions(after, tmp_path / "after"), check_exact=True
    )

"""Patches of captures: where they lie, what they are trained as, and what the store knows them by."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glassline.data.importers import read_source
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.errors import DataError
from glassline.vision.candidates import CandidateSettings
from glassline.vision.patches import ExtractSettings, extract_patches

SETTINGS = ExtractSettings(candidates=CandidateSettings(per_image=4), depth_window=(0, 4095))


@pytest.fixture(scope="module")
def captures(write_labelled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labelled(tmp_path_factory.mktemp("captures"), glasses=3)


def _extract(captures: Path, store: Path, settings: ExtractSettings = SETTINGS) -> SampleTable:
    return extract_patches(read_source(captures, "captures"), store, settings, lambda done, total: None)[0]


def test_patches_of_captures_are_trained_as_the_object_they_hit(captures: Path, tmp_path: Path) -> None:
    rows = _extract(captures, tmp_path).rows
    first = rows.drop_duplicates("image")  # the strongest candidate of each zone
    assert first["label"].tolist() == ["scratch", "dent", "control"]
    assert (rows["unit"] == rows["id"]).all()  # each candidate is judged, on the clean glass too


def test_patches_of_captures_lie_where_pitch_and_zone_origin_say(captures: Path, tmp_path: Path) -> None:
    row = _extract(captures, tmp_path).rows.iloc[0]
    x, y, width, height = json.loads(read_source(captures, "captures").rows["objects"][0])[0]["bbox"]
    assert row["x_mm"] == pytest.approx(5.0 + (x + width / 2) * 0.01, abs=0.02)
    assert row["y_mm"] == pytest.approx(10.0 + (y + height / 2) * 0.01, abs=0.02)


def test_patches_of_captures_carry_the_mask_of_the_run_lengths(captures: Path, tmp_path: Path) -> None:
    table = _extract(captures, tmp_path)
    masks_NHW = ShardReader(table.root, "mask").read(table.rows["shard"], table.rows["row"])
    assert int(masks_NHW[0].astype(bool).sum()) == 24 * 4


def test_patches_of_captures_are_found_in_the_store_by_content(
    captures: Path, write_labelled: Callable[..., Path], tmp_path: Path
) -> None:
    first = _extract(captures, tmp_path / "store")
    again = _extract(write_labelled(tmp_path / "same", glasses=3), tmp_path / "store")
    other = _extract(write_labelled(tmp_path / "other", glasses=3, seed=1), tmp_path / "store")
    assert first.root == again.root != other.root


def test_patches_of_captures_follow_the_light_state(captures: Path, tmp_path: Path) -> None:
    dim = SETTINGS.model_copy(update={"light_state": 0})
    first, second = (_extract(captures, tmp_path, settings) for settings in (SETTINGS, dim))
    pixels = [ShardReader(table.root, "patch").read([0], [0]) for table in (first, second)]
    assert not np.array_equal(*pixels)


def test_patches_of_captures_need_a_stated_window(captures: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="depth_window"):
        _extract(captures, tmp_path, ExtractSettings())

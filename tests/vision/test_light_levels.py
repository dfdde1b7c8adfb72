"""The light of rigs: levels of images and captures, what cannot be read, and shifts between cycles."""

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.light_shift import light_findings, light_shifts
from glassline.data.importers import read_source
from glassline.vision.light_levels import LightLevels, by_rig, measure_light


@pytest.fixture
def images(write_image, tmp_path):
    """Write images of a level and return their table: images([100, 100, 255])."""

    def write(levels):
        rng = np.random.default_rng(0)
        for number, level in enumerate(levels):
            noise_HW = rng.normal(0, 4, (60, 80)) if 0 < level < 255 else 0
            pixels = np.clip(np.full((60, 80), level) + noise_HW, 0, 255).astype(np.uint8)
            write_image(f"set/{'dent' if number % 2 else 'mold'}/{number}.png", pixels=pixels)
        return read_source(str(tmp_path / "set"), "image-folder")

    return write


def _measure(table, per_rig=100):
    return measure_light(table, per_rig, 0.5, 0.9)


def test_light_is_the_median_in_255ths_of_white(images):
    (rig,) = _measure(images([100, 102, 104])).rigs.to_dict("records")
    assert (rig["images"], rig["state"]) == (3, 0)
    assert rig["background"] == pytest.approx(102, abs=1)
    assert rig["spread"] == pytest.approx(4, abs=1)
    assert sum(rig["histogram"]) == pytest.approx(1)


def test_light_refuses_white_and_black_images_and_goes_on(images):
    light = _measure(images([100, 255, 0, 101]))
    assert len(light.images) == 2
    assert sorted(why.partition(",")[0][:8] for why in light.unreadable.values()) == ["at most ", "at most "]
    (found,) = light_findings(light, light_shifts(light.rigs, pd.DataFrame()), 0.25)
    assert (found.level, found.rule) == ("refused", "light")
    assert "2 images" in found.text


def test_light_measures_at_most_so_many_images_spread_over_the_table(images):
    table = images(range(90, 110))
    light = _measure(table, per_rig=3)
    assert light.of_images == 20
    assert light.images["image"].nunique() == 3
    assert {min(table.rows["id"]), max(table.rows["id"])} < set(light.images["image"])


def test_light_of_captures_is_told_by_camera_and_light_state(write_labelled, tmp_path):
    table = read_source(str(write_labelled(tmp_path / "captures", glasses=3)), "captures")
    rigs = _measure(table).rigs
    assert rigs["rig"].unique().tolist() == ["simulated 1"]
    assert rigs["state"].tolist() == [0, 1]
    assert rigs["background"].to_numpy() == pytest.approx(100 / 4095 * 255, rel=0.1)


def test_light_refuses_a_saturated_zone_by_name(marked_captures, tmp_path):
    from glassline.data.captures.meta import ZoneRef
    from glassline.data.captures.store import open_captures
    from glassline.data.samples import IMAGE_COLUMNS, SampleTable

    folder, _ = marked_captures([(0, 0)])
    captures = open_captures(folder)
    meta = captures.meta(ZoneRef("G0000", "clean", 0)).model_copy(update={"glass": "G9"})
    captures.write(meta, np.full((6, 64, 64), 4095, np.uint16))
    row = dict.fromkeys(IMAGE_COLUMNS, "") | {"id": "z", "image": "G9.zarr/clean-00", "label": "a"}
    light = _measure(SampleTable(pd.DataFrame([row]), "images", str(folder), ("a",)))
    assert "saturated" in light.unreadable["G9.zarr/clean-00"]


def _rigs(rig, *levels):
    rows = [
        {"image": f"{number}", "rig": rig, "state": 0, "background": level, "spread": 1.0, "saturated": 0.0,
         "even": 0.1, "histogram": [1.0]} for number, level in enumerate(levels)
    ]  # fmt: skip
    return by_rig(pd.DataFrame(rows))


@pytest.mark.parametrize(("level", "warned"), [(120.0, 0), (124.0, 0), (130.0, 1), (60.0, 1)])
def test_light_shift_is_warned_of_beyond_the_limit(level, warned):
    shifts = light_shifts(_rigs("r", level), _rigs("r", 100.0))
    found = light_findings(LightLevels(pd.DataFrame(), {}, 1), shifts, 0.25)
    assert [one.level for one in found] == ["warned"] * warned


def test_light_shift_of_a_new_rig_is_told_against_the_others():
    shifts = light_shifts(_rigs("new", 50.0), _rigs("r", 100.0))
    (found,) = light_findings(LightLevels(pd.DataFrame(), {}, 1), shifts, 0.25)
    assert "this one is new" in found.text


def test_light_shift_of_a_first_cycle_is_unknown():
    assert light_shifts(_rigs("r", 50.0), pd.DataFrame())["change"].isna().all()

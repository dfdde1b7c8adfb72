import json

import numpy as np
import pytest

from glassline.data.annotations.coco import read_coco_file
from glassline.data.captures.store import open_captures
from glassline.data.importers.captures import check_captures
from glassline.data.labels import read_labels
from glassline.data.problems import Problems
from glassline.data.storage import folder_hash
from glassline.errors import SettingsError, StorageError
from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses

SETTINGS = GlassSetSettings(glasses=2, seed=3, systematic_rate=1.0, product="P7", cycle="2026a")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate_glasses(SETTINGS, tmp_path_factory.mktemp("glass") / "out").parent


def test_simulation_writes_every_zone_clean_and_marked(folder):
    captures = open_captures(folder / "captures")
    names = [ref.image_name for ref in captures.zones()]
    assert names == [f"G000{g}_{kind}_0{z}" for g in (1, 2) for kind in ("clean", "marked") for z in (0, 1)]
    assert captures.shape(captures.zones()[0]) == (6, 1024, 1024)
    assert captures.meta(captures.zones()[0]).product == "P7"


def test_simulation_is_the_same_bytes_for_the_same_seed(folder, tmp_path):
    again = simulate_glasses(SETTINGS, tmp_path / "again").parent
    assert folder_hash(again) == folder_hash(folder)


def test_simulation_of_one_glass_does_not_depend_on_the_others(folder):
    captures = open_captures(folder / "captures")
    ref = captures.zones("G0002", "clean")[1]
    _, frames_SHW = SETTINGS.scene(2, "clean").capture(SETTINGS.grid.zones()[1])
    np.testing.assert_array_equal(captures.read(ref), frames_SHW)


def test_truth_belongs_to_the_clean_captures(folder):
    labels = read_labels(folder / "truth.json")
    check_captures(labels, open_captures(labels.captures))
    assert labels.classes == ("scratch", "dent", "mold", "fold", "control")
    assert [zone.ref.image_name for zone in labels.zones][:2] == ["G0001_clean_00", "G0001_clean_01"]
    assert any(zone.objects for zone in labels.zones)


def test_contaminants_are_a_list_of_their_own(folder):
    labels = read_labels(folder / "contaminants.json")
    assert labels.classes == ("dust", "stain", "fingerprint", "control")
    assert any(zone.objects for zone in labels.zones)


def test_boxes_are_drawn_on_every_marked_zone(folder):
    problems = Problems("annotations.json")
    found = read_coco_file(folder / "annotations.json", problems)
    problems.raise_if_any()
    assert [image.name for image in found.images] == [f"G000{g}_marked_0{z}.png" for g in (1, 2) for z in (0, 1)]
    assert any(image.boxes for image in found.images)


def test_simulation_tells_the_errors_of_the_stage_and_the_tools_scratch(folder):
    told = json.loads((folder / "simulation.json").read_text())
    assert told["jitter_um"]["G0001_clean_00"] != told["jitter_um"]["G0001_marked_00"]
    systematic = {item["image"][:5] for item in told["objects"] if item["systematic"]}
    assert systematic == {"G0001", "G0002"}


def test_simulation_of_clean_glass_alone_has_no_boxes(tmp_path):
    settings = GlassSetSettings(glasses=1, marked=False)
    out = simulate_glasses(settings, tmp_path / "out").parent
    assert not (out / "annotations.json").exists()
    assert {ref.kind for ref in open_captures(out / "captures").zones()} == {"clean"}


def test_simulation_refuses_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(StorageError, match="must be a missing or empty folder"):
        simulate_glasses(SETTINGS, tmp_path)


def test_simulation_of_an_unknown_preset_writes_nothing(tmp_path):
    with pytest.raises(SettingsError, match="difficulty must be one of"):
        simulate_glasses(GlassSetSettings(glasses=1, difficulty="brutal"), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_grid_has_the_pitch_of_the_preset():
    assert GlassSetSettings(glasses=1, size="full", difficulty="unseen").grid.pitch_um == 9.2
    assert GlassSetSettings(glasses=1, size="full").grid.pitch_um == 11.4

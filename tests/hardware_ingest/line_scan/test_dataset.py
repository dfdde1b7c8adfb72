import json

import pytest

from glassline.data.importers import read_source
from glassline.data.storage import folder_hash
from glassline.errors import SettingsError, StorageError
from hardware_ingest.line_scan.dataset import simulate_line_scan
from hardware_ingest.line_scan.settings import LineScanSettings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate_line_scan(27, 3, tmp_path_factory.mktemp("scan") / "out").parent


@pytest.fixture(scope="module")
def document(folder):
    return json.loads((folder / "annotations.json").read_text())


def test_simulation_annotates_exactly_the_samples_asked_for(document):
    assert len(document["annotations"]) == 27
    assert [image["group"] for image in document["images"]] == ["glass-0000", "glass-0001", "glass-0002"]


def test_simulation_is_the_same_bytes_for_the_same_seed(folder, tmp_path):
    simulate_line_scan(27, 3, tmp_path / "again")
    assert folder_hash(tmp_path / "again") == folder_hash(folder)


def test_simulation_differs_for_another_seed(folder, tmp_path):
    simulate_line_scan(1, 4, tmp_path / "other")
    name = "images/glass-0000.png"
    assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()


def test_simulation_makes_a_glass_the_same_however_many_follow(folder, document, tmp_path):
    simulate_line_scan(12, 3, tmp_path / "one")
    name = "images/glass-0000.png"
    assert (tmp_path / "one" / name).read_bytes() == (folder / name).read_bytes()
    alone = json.loads((tmp_path / "one" / "annotations.json").read_text())
    assert alone["annotations"] == document["annotations"][:12]


def test_simulation_boxes_hold_their_polygons_and_lie_in_the_view(document):
    for item in document["annotations"]:
        x, y, width, height = item["bbox"]
        columns = [value for polygon in item["segmentation"] for value in polygon[::2]]
        rows = [value for polygon in item["segmentation"] for value in polygon[1::2]]
        assert x == min(columns) >= 0
        assert y == min(rows) >= 0
        assert x + width - 1 == max(columns) < 750
        assert y + height - 1 == max(rows) < 1500


def test_simulation_imports_as_coco_with_place_and_group(folder):
    table = read_source(folder, "coco")
    assert (table.classes, table.clean_class) == (("dent", "mold", "fold", "control"), "control")
    assert table.rows["group"].nunique() == 3
    assert set(table.rows["pitch_um"]) == {100.0}
    assert set(table.rows["product"]) == {"glass"}
    assert not table.rows[["x_mm", "y_mm"]].isna().any().any()


def test_simulation_reports_every_glass(tmp_path):
    seen = []
    simulate_line_scan(13, 0, tmp_path / "out", LineScanSettings(), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(("samples", "seed", "rule"), [(0, 0, "samples must be >= 1"), (1, -1, "seed must be >= 0")])
def test_simulation_refuses_numbers_out_of_range(tmp_path, samples, seed, rule):
    with pytest.raises(SettingsError, match=rule):
        simulate_line_scan(samples, seed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_simulation_refuses_a_folder_that_holds_files(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(StorageError, match="missing or empty folder"):
        simulate_line_scan(1, 0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_simulation_leaves_nothing_when_interrupted(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_line_scan(1, 0, tmp_path / "out", progress=interrupt)
    assert list(tmp_path.iterdir()) == []

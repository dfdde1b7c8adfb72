"""The step that imports a set to learn from."""

from pathlib import Path

import pytest

from glassline.data.importers import source_hash
from glassline.data.samples import read_samples
from glassline.errors import DataError, SettingsError
from glassline.steps.import_source import import_source

# As of captures of 12 bit.
CUT = {"window_px": 32, "step_px": 32, "clean_per_image": 2, "depth_window": [0, 1500], "light_state": 1}


@pytest.fixture
def folder(write_marked_images, tmp_path: Path) -> Path:
    return write_marked_images(tmp_path / "set", images=4)


@pytest.fixture
def imported(folder, tmp_path):
    """Import the set: imported(product="P7") -> hash; the table lies at patches.parquet."""

    def run(**fields: object) -> str:
        source = {"data": str(folder), "data_format": "mask-folder", "product": "P7", **fields}
        return import_source(source, CUT, str(tmp_path / "store"), str(tmp_path / "patches.parquet"))

    return run


def test_a_set_goes_by_the_name_in_the_list_and_keeps_its_classes(imported, tmp_path):
    told = imported()
    table = read_samples(tmp_path / "patches.parquet", "patches")
    assert table.content_hash() == told
    assert set(table.rows["product"]) == {"P7"}
    assert (table.classes, table.clean_class) == (("clean", "dent"), "clean")
    assert set(table.rows["crop_px"]) == {32}


def test_its_own_cut_differs_from_that_of_the_new_product(imported, tmp_path):
    assert imported() != imported(cut={"window_px": 48})
    assert set(read_samples(tmp_path / "patches.parquet", "patches").rows["crop_px"]) == {48}
    with pytest.raises(SettingsError, match="window"):
        imported(cut={"window": 48})


def test_a_set_that_changed_since_submission_is_refused(imported, folder):
    before = source_hash(str(folder), "mask-folder")
    imported(data_hash=before)
    (folder / "dent" / "1.jpg").write_bytes((folder / "dent" / "3.jpg").read_bytes())
    with pytest.raises(DataError, match="must not change between submission and import"):
        imported(data_hash=before)


def test_a_broken_image_is_named(imported, folder, tmp_path):
    (folder / "dent" / "1.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"1\.jpg"):
        imported()
    assert not (tmp_path / "patches.parquet").exists()


def test_a_set_without_defect_is_of_its_clean_class_alone(imported, folder, tmp_path):
    import shutil

    shutil.rmtree(folder / "dent")
    imported(clean_class="clean")
    assert set(read_samples(tmp_path / "patches.parquet", "patches").rows["label"]) == {"clean"}

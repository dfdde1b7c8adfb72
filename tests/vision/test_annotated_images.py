"""Images of a table with their defects."""

import pickle

import cv2
import numpy as np
import pytest

from glassline.data.importers import read_source
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.annotated_images import AnnotatedImages, tells_places
from glassline.vision.heat_map import HeatSettings
from glassline.vision.heat_store import HEAT, KeptHeat


@pytest.fixture
def folder(write_marked_images, tmp_path):
    return write_marked_images(tmp_path / "set", images=4)


def test_annotated_images_number_the_clusters_of_a_mask(folder):
    images = AnnotatedImages(read_source(folder, "mask-folder"))
    number = next(number for number in range(len(images)) if images.has_any(number))
    annotated = images.annotated(number)
    mask_HW = cv2.imread(str(folder / images.images[number].replace(".jpg", ".png")), cv2.IMREAD_GRAYSCALE) > 0
    np.testing.assert_array_equal(annotated.mask_HW, mask_HW)
    assert annotated.labels == ("dent", "dent")


def test_annotated_images_are_those_of_any_place(folder, place, send):
    local = AnnotatedImages(read_source(folder, "mask-folder"))
    images = AnnotatedImages(read_source(send(folder, place), "mask-folder"))
    assert images.images == local.images
    for number in range(len(images)):
        np.testing.assert_array_equal(images.pixels(number), local.pixels(number))
        np.testing.assert_array_equal(images.mask(number), local.mask(number))
        assert images.truth_hash(number) == local.truth_hash(number)


def test_heat_is_kept_in_any_place(folder, place, elsewhere):
    laid, calls = HeatSettings(window_px=32, step_px=32), []

    def classify(window_BHW):
        calls.append(len(window_BHW))
        return np.full(len(window_BHW), 0.25, np.float32)

    images = AnnotatedImages(read_source(folder, "mask-folder"))
    first = KeptHeat(images, laid, ["model"], open_store(place)).heat(0, HEAT, classify)
    elsewhere()
    again = KeptHeat(images, laid, ["model"], open_store(place)).heat(0, HEAT, None)
    np.testing.assert_array_equal(again.value_NM, first.value_NM)
    assert calls


def test_annotated_images_take_objects_by_their_label(folder):
    table = read_source(folder, "mask-folder")
    told = '[{"label": "dent", "bbox": [1, 2, 3, 4], "segmentation": null}]'
    images = AnnotatedImages(table.with_rows(table.rows.assign(mask="", objects=told)))
    annotated = images.annotated(0)
    assert annotated.labels == ("dent",)
    assert annotated.index_HW.sum() == 12


def test_annotated_images_read_colour(folder):
    for path in folder.rglob("*.jpg"):
        shade = 200 if "clean" in str(path) else 190  # or they would be one image
        blue_green_red = np.full((96, 96, 3), (10, int(path.stem), shade), np.uint8)
        cv2.imwrite(str(path), blue_green_red)
    images = AnnotatedImages(read_source(folder, "mask-folder"), colour=True)
    assert np.abs(images.pixels(0)[5, 5].astype(int) - (195, 5, 10)).max() < 15
    assert images.grey(0).shape == (96, 96)


def test_annotated_images_refuse_grey_where_colour_is_looked_at(folder):
    images = AnnotatedImages(read_source(folder, "mask-folder"), colour=True)
    with pytest.raises(DataError, match=r"must be in colour, .* set colour=false"):
        images.pixels(0)


def test_annotated_images_refuse_a_table_without_any_defect(folder):
    table = read_source(folder, "mask-folder")
    clean = table.rows[table.rows["label"] == "clean"]
    with pytest.raises(DataError, match="got none on 2 images; annotate some"):
        AnnotatedImages(table.with_rows(clean))


def test_annotated_images_tell_a_defective_image_without_a_place(folder):
    rows = (table := read_source(folder, "mask-folder")).rows
    rows.loc[rows["image"] == "dent/1.jpg", "mask"] = ""
    images = AnnotatedImages(table.with_rows(rows))
    assert [images.images[number] for number in range(4) if images.placeless(number)] == ["dent/1.jpg"]


def test_annotated_images_travel_to_other_processes(folder):
    images = AnnotatedImages(read_source(folder, "mask-folder"))
    images.pixels(0)
    # Not ours to load: what loader workers are sent.
    again = pickle.loads(pickle.dumps(images))
    np.testing.assert_array_equal(again.pixels(0), images.pixels(0))


def test_a_table_tells_places_by_mask_or_by_an_object_that_is_a_defect(folder):
    table = read_source(folder, "mask-folder")
    bare = table.with_rows(table.rows.assign(mask=""))
    told = {
        label: bare.with_rows(bare.rows.assign(objects=f'[{{"label": "{label}", "bbox": [1, 2, 3, 4]}}]'))
        for label in table.classes
    }
    assert tells_places(table)
    assert not tells_places(bare)
    assert not tells_places(
        bare.with_rows(bare.rows.assign(mask=table.rows["mask"].where(table.rows["label"] == "clean", "")))
    )
    assert (tells_places(told["dent"]), tells_places(told["clean"])) == (True, False)

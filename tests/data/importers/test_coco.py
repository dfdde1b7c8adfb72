"""Importer of COCO JSON."""

import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from glassline.data.annotations.coco_objects import _unpacked
from glassline.data.importers import read_source, source_hash
from glassline.errors import DataError


def _data() -> dict:
    images = [{"id": n, "file_name": f"{n}.png", "width": 40, "height": 30} for n in (1, 2, 3)]
    categories = [{"id": 7, "name": "scratch"}, {"id": 3, "name": "dent"}, {"id": 9, "name": "control"}]
    boxes = [(11, 1, 7, [2, 3, 10, 4]), (12, 1, 3, [0, 0, 39.5, 30.4]), (13, 2, 7, [-0.5, 1, 5, 5])]
    annotations = [{"id": i, "image_id": m, "category_id": c, "bbox": box} for i, m, c, box in boxes]
    return {"images": images, "annotations": annotations, "categories": categories}


@pytest.fixture
def source(tmp_path, write_image):
    for n in (1, 2, 3):
        write_image(f"{n}.png", n)
    return tmp_path


def _read(source, data, **more):
    (source / "labels.json").write_text(data if isinstance(data, str) else json.dumps(data))
    return read_source(source, "coco", **more)


def test_coco_labels_an_image_by_the_largest_defect_and_keeps_objects(source):
    table = _read(source, _data())
    assert table.rows["label"].tolist() == ["dent", "scratch", "control"]
    assert json.loads(table.rows["objects"][0])[0] == {"label": "scratch", "bbox": [2, 3, 10, 4], "segmentation": None}
    assert table.rows["objects"][2] == ""


def test_coco_orders_classes_by_category_id_and_knows_control(source):
    table = _read(source, _data())
    assert (table.classes, table.clean_class) == (("dent", "scratch", "control"), "control")


def test_coco_clips_a_box_that_sticks_out_by_rounding(source):
    objects = _read(source, _data()).rows["objects"]
    assert json.loads(objects[0])[1]["bbox"] == [0, 0, 39.5, 30]
    assert json.loads(objects[1])[0]["bbox"] == [0, 1, 4.5, 5]


def test_source_hash_tells_label_files_of_one_folder_apart_by_what_is_in_them(source):
    data = _data()
    (source / "la.json").write_text(json.dumps(data))
    (source / "lb.json").write_text(json.dumps({**data, "images": data["images"][1:]}))
    (source / "lc.json").write_text(json.dumps(data))
    folder, la, lb, lc = (source_hash(source / name, "coco") for name in ("", "la.json", "lb.json", "lc.json"))
    assert la == lc
    assert len({folder, la, lb}) == 3


def test_coco_keeps_what_an_image_carries(source):
    data = _data()
    data["images"][0] |= {"x_mm": 12.5, "y_mm": -3, "zone": 4, "pitch_um": 11.4, "group": "glass7", "product": "P2"}
    table = _read(source, data, product="P1", cycle="2026a")
    row = table.rows.iloc[0]
    assert (row["x_mm"], row["y_mm"], row["pitch_um"]) == (12.5, -3, 11.4)
    assert (row["zone"], row["group"], row["product"], row["cycle"]) == ("4", "glass7", "P2", "2026a")
    assert np.isnan(table.rows["x_mm"][1])
    assert table.rows["group"][1] == "2.png"


def test_coco_finds_images_in_their_folder_and_labels_in_theirs(tmp_path, write_image):
    for n in (1, 2, 3):
        write_image(f"images/{n}.png", n)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "a.json").write_text(json.dumps(_data()))
    assert read_source(tmp_path, "coco").rows["image"].tolist() == ["images/1.png", "images/2.png", "images/3.png"]


def test_coco_takes_one_file_by_name(source):
    (source / "other.json").write_text("[]")
    with pytest.raises(DataError, match="must hold one COCO file"):
        _read(source, _data())
    assert len(read_source(source / "labels.json", "coco").rows) == 3


def test_coco_needs_a_clean_class_for_an_image_without_objects(source):
    data = _data()
    data["categories"].pop()
    with pytest.raises(DataError, match=r"image 3\.png without annotations needs a clean class"):
        _read(source, data)
    assert _read(source, data, clean_class="good").classes == ("dent", "scratch", "good")


def _with(part: str, position: int, **change) -> dict:
    data = _data()
    data[part][position] |= change
    return data


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("{", "well-formed JSON"),
        ("[" * 100_000, "well-formed JSON"),
        ("[]", "images is missing"),
        ('{"images": [], "annotations": {}, "categories": []}', "annotations is missing"),
        ('{"images": [], "annotations": [], "categories": []}', "must hold images"),
        (_with("annotations", 0, category_id=99), r"annotation 11 must have a category_id among \[3, 7, 9\], got 99"),
        (_with("annotations", 0, category_id=[7]), "annotation 11 must have a category_id"),
        (_with("annotations", 0, image_id=99), "annotation 11 must name an image, got image_id 99"),
        (_with("annotations", 0, image_id=[1]), "annotation 11 must name an image"),
        (_with("annotations", 0, id=12), "annotation ids must be unique, got 12 twice"),
        (_with("annotations", 0, bbox=[2, 3, 40, 4]), r"annotation 11 of 1\.png: a box must lie inside .* 40 x 30 px"),
        (_with("annotations", 0, bbox=[2, 3, 0, 4]), "positive size"),
        (_with("annotations", 0, bbox=[2, 3, 4]), "bbox must be"),
        (_with("annotations", 0, bbox=[2, 3, 4, "5"]), "bbox must be"),
        (_with("annotations", 0, bbox=[2, 3, 4, float("nan")]), "bbox must be"),
        (_with("annotations", 0, bbox=[2, 3, 4, 10**400]), "bbox must be"),
        (_with("annotations", 0, bbox=None), "bbox must be"),
        (_with("annotations", 0, segmentation=[[1, 2, 3, 4]]), "three points"),
        (_with("annotations", 0, segmentation=[[1, 2, 3, 4, 5, None]]), "three points"),
        (_with("annotations", 0, segmentation=["a"]), "three points"),
        (_with("annotations", 0, segmentation=5), "polygons or run lengths"),
        (_with("annotations", 0, segmentation={"size": [40, 30], "counts": [1200]}), r"size \[30, 40\]"),
        (_with("annotations", 0, segmentation={"size": [30, 40], "counts": [1199]}), "add up to"),
        (_with("annotations", 0, segmentation={"size": [30, 40], "counts": [1300, -100]}), "add up to"),
        (_with("annotations", 0, segmentation={"size": [30, 40], "counts": "ooooooooo"}), "add up to"),
        (_with("annotations", 0, segmentation={"size": [30, 40]}), "add up to"),
        (_with("images", 0, id=2), "image ids must be unique, got 2 twice"),
        (_with("images", 0, id=None), "image number 0 must be an object with an id"),
        (_with("images", 0, file_name="2.png"), r"2\.png: an image must be listed once"),
        (_with("images", 0, file_name="none.png"), r"existing file, got 'none\.png'"),
        (_with("images", 0, file_name="../1.png"), "stay inside the source"),
        (_with("images", 0, file_name="/etc/passwd"), "stay inside the source"),
        (_with("images", 0, file_name="C:\\1.png"), "stay inside the source"),
        (_with("images", 0, file_name="a" * 5000), "existing file"),
        (_with("images", 0, file_name=None), "must have a file_name"),
        (_with("images", 0, height=31), "the image has 40 x 30 px, its labels state 40 x 31 px"),
        (_with("images", 0, height="30"), "must have a file_name, width and height"),
        (_with("images", 0, x_mm="left"), r"x_mm of image 1\.png must be a finite number, got 'left'"),
        (_with("categories", 0, name="dent"), "different names"),
        (_with("categories", 0, name=""), "different names"),
    ],
)
def test_coco_refuses_a_bad_record(source, data, problem):
    with pytest.raises(DataError, match=problem):
        _read(source, data)


def test_coco_keeps_polygons_and_run_lengths(source):
    mask_HW = np.asfortranarray(np.random.default_rng(0).integers(0, 2, (30, 40), dtype=np.uint8))
    packed = coco_mask.encode(mask_HW)["counts"].decode()
    for segmentation in (
        [[1, 2, 3, 4, 5, 6.5]],
        {"size": [30, 40], "counts": packed},
        {"size": [30, 40], "counts": [1200]},
    ):
        objects = _read(source, _with("annotations", 0, segmentation=segmentation)).rows["objects"]
        assert json.loads(objects[0])[0]["segmentation"] == segmentation


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 1.0])
def test_run_lengths_unpack_as_pycocotools_packs_them(share):
    mask_HW = np.asfortranarray((np.random.default_rng(0).random((300, 401)) < share).astype(np.uint8))
    column_first = mask_HW.ravel(order="F")
    runs, value, length = [], 0, 0
    for pixel in column_first:
        if pixel != value:
            runs.append(length)
            value, length = pixel, 0
        length += 1
    assert _unpacked(coco_mask.encode(mask_HW)["counts"].decode()) == [*runs, length]

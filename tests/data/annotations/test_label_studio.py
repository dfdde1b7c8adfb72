"""Label Studio JSON."""

import json

import pytest

from glassline.data.annotations.label_studio import read_label_studio_file
from glassline.data.importers import read_source
from glassline.data.problems import Problems
from glassline.errors import DataError

URL = "/data/upload/3/0a1b2c3d-1.png"


def _region(kind="rectanglelabels", **value):
    place = {"x": 5.0, "y": 10.0, "width": 25.0, "height": 20.0, "rotation": 0, kind: ["scratch"]}
    return {"id": "r1", "type": kind, "original_width": 40, "original_height": 30, "value": {**place, **value}}


def _write(folder, *regions, url=URL, **annotation):
    file = folder / "tasks.json"
    file.write_text(json.dumps([{"id": 7, "data": {"image": url}, "annotations": [{"result": regions, **annotation}]}]))
    return file


def _read(file):
    problems = Problems(file.name)
    found = read_label_studio_file(file, problems)
    problems.raise_if_any()
    return found


def test_label_studio_reads_percent_as_px(tmp_path):
    (image,) = _read(_write(tmp_path, _region())).images
    assert (image.name, image.size_px, image.boxes[0].bbox) == ("1.png", (40, 30), (2, 3, 10, 6))


@pytest.mark.parametrize(
    "url", ["/data/local-files/?d=lines/a/1.png", "s3://bucket/key/1.png", "https://host/x/1.png?sig=a/b", "1.png", URL]
)
def test_label_studio_finds_the_file_name_in_a_url(tmp_path, url):
    assert _read(_write(tmp_path, _region(), url=url)).images[0].name == "1.png"


def test_label_studio_decodes_a_name_once(tmp_path):
    url = "/data/local-files/?d=lines/50%2541.png"
    assert _read(_write(tmp_path, _region(), url=url)).images[0].name == "50%41.png"


def test_label_studio_turned_box_becomes_the_box_around_it(tmp_path):
    region = _region(x=50, rotation=90)  # turned around its first corner, at 20, 3 px
    assert _read(_write(tmp_path, region)).images[0].boxes[0].bbox == (14, 3, 6, 10)


def test_label_studio_polygon_becomes_the_box_around_it(tmp_path):
    region = _region("polygonlabels", points=[[0, 0], [50, 10], [20, 100]])
    assert _read(_write(tmp_path, region)).images[0].boxes[0].bbox == (0, 0, 20, 30)


def test_label_studio_status_is_a_choice_of_the_same_region(tmp_path):
    choice = {**_region(), "type": "choices", "from_name": "status", "value": {"choices": ["microscope"]}}
    assert _read(_write(tmp_path, _region(), choice)).images[0].boxes[0].status == "microscope"


def test_label_studio_tells_a_clean_image_from_one_not_looked_at(tmp_path):
    file = _write(tmp_path)
    assert [image.name for image in _read(file).images] == ["1.png"]
    file = _write(tmp_path, was_cancelled=True)
    assert (_read(file).images, _read(file).unlabelled) == ([], ["1.png"])


def test_label_studio_takes_the_ground_truth_of_several_annotations(tmp_path):
    task = {"data": {"image": URL}, "annotations": [{"result": []}, {"result": [_region()], "ground_truth": True}]}
    (tmp_path / "t.json").write_text(json.dumps([task]))
    assert len(_read(tmp_path / "t.json").images[0].boxes) == 1
    del task["annotations"][1]["ground_truth"]
    (tmp_path / "t.json").write_text(json.dumps([task]))
    with pytest.raises(DataError, match=r"task 1 of 1\.png: a task must have one annotation, got 2"):
        _read(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("region", "problem"),
    [
        (_region(x=90), r"region 1 of 1\.png: a box must lie inside its image of 40 x 30 px"),
        (_region(width=0), "positive size"),
        (_region(width="5"), "must be numbers in percent"),
        (_region(rectanglelabels=[]), "must have one label"),
        (_region(rectanglelabels=["dent", "mold"]), "must have one label"),
        (_region("brushlabels"), "got 'brushlabels'; draw a rectangle instead"),
        (_region("polygonlabels", points=[[1, 2], [3, 4]]), "three pairs of percent"),
        (_region("polygonlabels", points=[[1, 2], [3, None], [1, 1]]), "three pairs of percent"),
        (_region() | {"original_width": None}, "original_width and original_height must be whole numbers"),
        (_region() | {"value": None}, "a region must be one of"),
    ],
)
def test_label_studio_refuses_a_bad_region(tmp_path, region, problem):
    with pytest.raises(DataError, match=problem):
        _read(_write(tmp_path, region))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "well-formed JSON"),
        ("[" * 100_000, "well-formed JSON"),
        ("{}", "list of tasks"),
        ('[{"image": "1.png"}]', "not JSON-MIN"),
        ('[{"data": {"text": "x"}}]', r"task 1 must have data\.image"),
        ('[{"data": {"image": "1.png"}, "annotations": 5}]', "annotations must be a list"),
        ('[{"data": {"image": "1.png"}, "annotations": [{"result": "x"}]}]', "result must be a list"),
    ],
)
def test_label_studio_refuses_another_file(tmp_path, text, problem):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError, match=problem):
        _read(tmp_path / "t.json")


def test_label_studio_is_a_source_of_images(tmp_path, write_image):
    write_image("images/1.png")
    table = read_source(_write(tmp_path, _region()), "label-studio")
    assert (table.rows["image"][0], table.rows["label"][0]) == ("images/1.png", "scratch")


def test_label_studio_source_refuses_a_task_without_annotation(tmp_path, write_image):
    write_image("1.png")
    with pytest.raises(DataError, match=r"1\.png: an image must have been looked at"):
        read_source(_write(tmp_path, _region(), was_cancelled=True), "label-studio")

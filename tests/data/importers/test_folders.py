"""Importers of image folders, mask folders and DAGM, and what all importers share."""

import shutil

import cv2
import numpy as np
import pytest

from glassline.data.importers import LAYOUTS, duplicate_groups, read_source
from glassline.errors import DataError, StorageError


@pytest.fixture
def masks(tmp_path, write_image):
    """A mask folder of two classes, two images each; `MT_Free` is clean."""
    for n, folder in enumerate(["MT_Crack", "MT_Crack", "MT_Free", "MT_Free"]):
        write_image(f"{folder}/Imgs/{n}.jpg", seed=n)
        pixels_HW = np.zeros((30, 40), np.uint8)
        pixels_HW[3:6, 5:9] = 255 * (folder == "MT_Crack")
        write_image(f"{folder}/Imgs/{n}.png", pixels=pixels_HW)
    return tmp_path


@pytest.fixture
def dagm(tmp_path, write_image):
    """A DAGM folder of two clean and one defective image."""
    for n in (1, 2, 3):
        write_image(f"000{n}.PNG", seed=n)
    write_image("Label/0002_label.PNG")
    (tmp_path / "labels.csv").write_text("image,defect,mask\n0001.PNG,0,\n0002.PNG,1,0002_label.PNG\n0003.PNG,0,\n")
    return tmp_path


def _labels(table):
    return dict(zip(table.rows["id"], table.rows["label"], strict=True))


def test_image_folder_takes_the_class_from_the_folder(tmp_path, write_image):
    write_image("dent/a.png", 1), write_image("dent/day2/a.png", 2), write_image("fold/x.jpg", 3)
    table = read_source(tmp_path, "image-folder", product="P1", cycle="2026a", clean_class="fold")
    assert _labels(table) == {"dent/a.png": "dent", "dent/day2/a.png": "dent", "fold/x.jpg": "fold"}
    assert (table.classes, table.clean_class, table.root) == (("dent", "fold"), "fold", str(tmp_path))
    row = table.rows.iloc[0]
    assert (row["product"], row["cycle"], row["source"], row["group"]) == ("P1", "2026a", "image-folder", "dent/a.png")
    assert (row["width_px"], row["height_px"], row["bit_depth"], row["mask"], row["objects"]) == (40, 30, 8, "", "")


def test_image_folder_takes_the_class_from_the_file_name_when_flat(tmp_path, write_image):
    for n, name in enumerate(["Oil_0001.jpg", "Oil_0002.jpg", "deep-dent 3.png", "dust7.png"]):
        write_image(name, n)
    assert sorted(_labels(read_source(tmp_path, "image-folder")).values()) == ["Oil", "Oil", "deep-dent", "dust"]


def test_image_folder_refuses_both_layouts_at_once(tmp_path, write_image):
    write_image("dent/a.png", 1), write_image("Oil_1.png", 2)
    with pytest.raises(DataError, match="either all in class folders or all in one folder, got 1"):
        read_source(tmp_path, "image-folder")


@pytest.mark.parametrize("name", ["0001.png", "photo.png", "_1.png"])
def test_image_folder_refuses_a_flat_name_without_class(tmp_path, write_image, name):
    write_image(name)
    with pytest.raises(DataError, match=f"{name}: .*class and a number"):
        read_source(tmp_path, "image-folder")


def test_image_folder_refuses_an_empty_class(tmp_path, write_image):
    write_image("dent/a.png")
    (tmp_path / "fold").mkdir()
    with pytest.raises(DataError, match="fold: a class folder must hold images"):
        read_source(tmp_path, "image-folder")


def test_image_folder_refuses_files_it_would_have_to_drop(tmp_path, write_image):
    write_image("dent/a.png")
    (tmp_path / "dent" / "b.heic").touch()
    (tmp_path / "dent" / "notes.txt").touch()
    (tmp_path / "dent" / ".DS_Store").touch()
    with pytest.raises(DataError, match=r"imported: dent/b\.heic: an image must be one of .*convert it"):
        read_source(tmp_path, "image-folder")


@pytest.mark.parametrize("layout", ["image-folder", "mask-folder", "dagm"])
def test_import_refuses_an_empty_folder(tmp_path, layout):
    with pytest.raises(DataError, match=f"must hold images in the layout {layout}, got none"):
        read_source(tmp_path, layout)


def test_import_refuses_a_missing_folder(tmp_path):
    with pytest.raises(StorageError, match="none"):
        read_source(tmp_path / "none", "image-folder")


def test_import_refuses_a_file_as_folder(tmp_path, write_image):
    with pytest.raises(DataError, match="must be a folder, got the file"):
        read_source(write_image("a.png"), "image-folder")


def test_import_refuses_an_unknown_format(tmp_path):
    with pytest.raises(
        DataError,
        match="must be one of image-folder, mask-folder, dagm, coco, voc, cvat, label-studio, captures, got 'yolo'",
    ):
        read_source(tmp_path, "yolo")


def test_import_names_up_to_ten_problems(tmp_path, write_image):
    write_image("dent/good.png")
    for n in range(13):
        (tmp_path / "dent" / f"{n:02}.png").touch()
    with pytest.raises(DataError) as caught:
        read_source(tmp_path, "image-folder")
    assert all(f"{n:02}.png" in str(caught.value) for n in range(10))
    assert "10.png" not in str(caught.value)
    assert str(caught.value).endswith("and 3 more")


def test_import_refuses_a_link_that_leaves_the_source(tmp_path, write_image):
    outside = write_image("outside/a.png")
    write_image("source/dent/b.png")
    (tmp_path / "source" / "dent" / "a.png").symlink_to(outside)
    with pytest.raises(DataError, match=r"dent/a\.png.*links outside; copy the file"):
        read_source(tmp_path / "source", "image-folder")


def test_import_joins_the_groups_of_equal_images(tmp_path, write_image):
    for n in range(5):
        write_image(f"dent/{n}.png", n)
    for copy, n in (("5", 0), ("6", 1), ("7", 1)):
        shutil.copy(tmp_path / "dent" / f"{n}.png", tmp_path / "dent" / f"{copy}.png")
    (tmp_path / "groups.csv").write_text(
        "path,group\n" + "".join(f"x/dent/{n}.png,{g}\n" for n, g in enumerate("AABCDCBE"))
    )
    table = read_source(tmp_path, "image-folder")
    # 0 = 5 joins A and C; 1 = 6 = 7 joins A, B and E.
    assert table.rows.groupby("group")["id"].count().to_dict() == {"A": 7, "D": 1}
    assert sorted(duplicate_groups(table)) == [["dent/0.png", "dent/5.png"], ["dent/1.png", "dent/6.png", "dent/7.png"]]


def test_import_refuses_equal_images_of_two_classes(tmp_path, write_image):
    write_image("dent/a.png", 1), write_image("fold/b.png", 1)
    with pytest.raises(DataError, match=r"fold/b\.png: .*'fold' and dent/a\.png has 'dent'"):
        read_source(tmp_path, "image-folder")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path,group\na.png,1\n", r"dent/b\.png has none"),
        ("path,group\ndent/a.png,1\ndent/b.png,\n", r"'dent/b\.png' has an empty group"),
        ("path,group\ndent/a.png,1\ndent/b.png,2\nc.png,3\n", r"line 4 .*'c\.png' has no image of this source"),
        ("path,group\ndent/a.png,1\ndent/b.png,2\nx/dent/b.png,3\n", r"dent/b\.png has 2 and 3"),
        ("image,group\n", "must have the columns path, group"),
        ("path,group\n", "got no line"),
        ("", "must have the columns path, group"),
        ("path,group\ndent/\xe4.png,1\n", "CSV file in UTF-8"),
    ],
)
def test_import_refuses_bad_groups(tmp_path, write_image, text, problem):
    write_image("dent/a.png", 1), write_image("dent/b.png", 2)
    (tmp_path / "groups.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=rf"groups\.csv: .*{problem}"):
        read_source(tmp_path, "image-folder")


def test_import_tells_its_progress(tmp_path, write_image):
    write_image("dent/a.png", 1), write_image("dent/b.png", 2)
    steps = []
    read_source(tmp_path, "image-folder", progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]


def test_import_does_not_depend_on_where_the_folder_lies(tmp_path, masks):
    shutil.copytree(tmp_path / "MT_Crack", tmp_path / "other" / "MT_Crack")
    shutil.copytree(tmp_path / "MT_Free", tmp_path / "other" / "MT_Free")
    moved = read_source(tmp_path / "other", "mask-folder")
    shutil.rmtree(tmp_path / "other")
    assert moved.content_hash() == read_source(tmp_path, "mask-folder").content_hash()


def test_mask_folder_strips_the_common_prefix_and_finds_the_clean_class(masks):
    table = read_source(masks, "mask-folder")
    assert (table.classes, table.clean_class) == (("Crack", "Free"), "Free")
    assert table.rows["mask"].tolist()[0] == "MT_Crack/Imgs/0.png"


def test_mask_folder_allows_the_clean_class_without_masks(masks):
    for mask in (masks / "MT_Free").rglob("*.png"):
        mask.unlink()
    table = read_source(masks, "mask-folder")
    assert table.clean_class == "Free"
    assert table.rows["mask"].tolist()[2:] == ["", ""]


def test_mask_folder_refuses_a_defect_without_mask(masks):
    (masks / "MT_Crack" / "Imgs" / "1.png").unlink()
    with pytest.raises(DataError, match=r"MT_Crack/Imgs/1\.jpg: .*'Crack' must have a mask"):
        read_source(masks, "mask-folder")


def test_mask_folder_refuses_a_mask_without_image(masks):
    (masks / "MT_Crack" / "Imgs" / "1.jpg").unlink()
    with pytest.raises(DataError, match=r"MT_Crack/Imgs/1\.png: a mask must have an image"):
        read_source(masks, "mask-folder")


def test_mask_folder_refuses_a_mask_of_another_size(masks, write_image):
    write_image("MT_Crack/Imgs/1.png", width=41)
    with pytest.raises(DataError, match=r"40 x 30 px, its mask MT_Crack/Imgs/1\.png has 41 x 30 px"):
        read_source(masks, "mask-folder")


def test_mask_folder_refuses_an_unreadable_mask(masks):
    (masks / "MT_Free" / "Imgs" / "2.png").write_bytes(b"no mask")
    with pytest.raises(DataError, match=r"2\.png must be a whole, readable image"):
        read_source(masks, "mask-folder")


def test_dagm_reads_its_list(dagm):
    table = read_source(dagm, "dagm")
    assert _labels(table) == {"0001.PNG": "clean", "0002.PNG": "defect", "0003.PNG": "clean"}
    assert table.rows["mask"].tolist() == ["", "Label/0002_label.PNG", ""]
    assert (table.classes, table.clean_class) == (("clean", "defect"), "clean")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("0002.PNG,1,\n0003.PNG,0,\n", "defect '1' and mask ''"),
        ("0002.PNG,0,0002_label.PNG\n0003.PNG,0,\n", "defect '0' and mask '0002_label.PNG'"),
        ("0002.PNG,2,0002_label.PNG\n0003.PNG,0,\n", "defect '2'"),
        ("0002.PNG,1,none.PNG\n0003.PNG,0,\n", r"existing file, got 'Label/none\.PNG'"),
        ("0002.PNG,1,../0002.PNG\n0003.PNG,0,\n", "stay inside the source"),
        ("0002.PNG,1,0002_label.PNG\n", r"0003\.PNG: every image and mask must be in labels\.csv"),
        ("0003.PNG,0,\n", r"Label/0002_label\.PNG: every image and mask"),
        ("0002.PNG,1,0002_label.PNG\n0003.PNG,0,\n0003.PNG,0,\n", r"0003\.PNG: an image must be listed once"),
        ("/etc/passwd,0,\n", "stay inside the source"),
        ("a\0b.PNG,0,\n", "existing file"),
        (f"{'a' * 5000},0,\n", "existing file"),
    ],
)
def test_dagm_refuses_a_bad_list(dagm, line, problem):
    (dagm / "labels.csv").write_text(f"image,defect,mask\n0001.PNG,0,\n{line}")
    with pytest.raises(DataError, match=problem):
        read_source(dagm, "dagm")


def test_dagm_reads_the_published_layout(tmp_path, write_image):
    for n, half in enumerate(["Class1/Train", "Class1/Test", "Class2/Train"]):
        write_image(f"{half}/0001.PNG", 10 + n), write_image(f"{half}/0002.PNG", 20 + n)
        write_image(f"{half}/Label/0002_label.PNG")
    rows = read_source(tmp_path, "dagm").rows.set_index("id")
    assert rows["label"].value_counts().to_dict() == {"clean": 3, "defect": 3}
    assert rows.loc["Class1/Test/0002.PNG", "mask"] == "Class1/Test/Label/0002_label.PNG"
    assert rows["product"].value_counts().to_dict() == {"Class1": 4, "Class2": 2}


def test_dagm_refuses_a_published_mask_without_image(tmp_path, write_image):
    write_image("Class1/Train/0001.PNG"), write_image("Class1/Train/Label/0002_label.PNG")
    with pytest.raises(DataError, match=r"Label/0002_label\.PNG: a mask must have an image"):
        read_source(tmp_path, "dagm")


@pytest.mark.parametrize(
    ("folder", "layout", "counts", "clean_class", "groups"),
    [
        ("phone_screen", "image-folder", {"Oil": 20, "Scr": 20, "Sta": 20}, "", 60),
        ("dagm2007_class1", "dagm", {"clean": 79, "defect": 71}, "clean", 150),
        (
            "magnetic_tile",
            "mask-folder",
            {"Blowhole": 115, "Break": 85, "Crack": 57, "Fray": 32, "Free": 952, "Uneven": 103},
            "Free",
            210,
        ),
    ],
)
def test_import_reads_real_data(shared_data, folder, layout, counts, clean_class, groups):
    table = read_source(shared_data / folder, layout)
    assert table.rows["label"].value_counts().to_dict() == counts
    assert (table.classes, table.clean_class) == (tuple(sorted(counts)), clean_class)
    assert table.rows["group"].nunique() == groups
    first = table.rows.iloc[0]
    pixels = cv2.imread(str(shared_data / folder / first["image"]), cv2.IMREAD_UNCHANGED)
    assert pixels.shape[:2] == (first["height_px"], first["width_px"])


def test_layouts_have_one_spelling_everywhere():
    from glassline_cli.import_data import FORMATS

    assert tuple(LAYOUTS) == FORMATS


@pytest.mark.parametrize("names", [("a+b", "a&b"), ("Dent", "dent"), ("x" * 101, "y"), (" ", "y")])
def test_import_refuses_class_names_that_metrics_cannot_tell_apart(tmp_path, write_image, names):
    for seed, name in enumerate(names):
        write_image(f"{name}/a.png", seed)
    with pytest.raises(DataError, match=r"class name.*rename"):
        read_source(tmp_path, "image-folder")

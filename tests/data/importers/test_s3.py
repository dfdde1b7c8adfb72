"""Sources of every layout in a folder and in S3: one table, one hash, the same complaints."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import AnnotatedImage, Annotations, Box
from glassline.data.importers import read_source, source_hash
from glassline.data.location import open_location
from glassline.errors import DataError, StorageError

Send = Callable[[Path, str], str]
Write = Callable[..., Path]
FOLDERS = ("image-folder", "mask-folder", "dagm")
CLEAN = {"clean_class": "clean"}


def _folders(layout: str, write_image: Write) -> None:
    spot_HW = np.zeros((30, 40), np.uint8)
    spot_HW[5:9, 5:9] = 255
    if layout == "image-folder":
        for seed, name in enumerate(("dent/a.png", "dent/b.png", "clean/c.png")):
            write_image(f"source/{name}", seed=seed)
    if layout == "mask-folder":
        for seed, (name, mask_HW) in enumerate((("dent/0", spot_HW), ("clean/1", spot_HW * 0))):
            write_image(f"source/{name}.jpg", seed=seed)
            write_image(f"source/{name}.png", pixels=mask_HW)
    if layout == "dagm":
        for seed, name in enumerate(("0001", "0002")):
            write_image(f"source/Class1/Train/{name}.PNG", seed=seed)
        write_image("source/Class1/Train/Label/0002_label.PNG", pixels=spot_HW)


@pytest.fixture
def source(write_image: Write, tmp_path: Path) -> Callable[[str], Path]:
    """Write a small source of a layout and return its folder."""

    def write(layout: str) -> Path:
        if layout in FOLDERS:
            _folders(layout, write_image)
        else:
            told = FORMATS[layout]
            images = []
            for seed, name in enumerate(("a.png", "b.png")):
                write_image(f"source/{told.images}/{name}", seed=seed)
                boxes = [] if seed else [Box("dent", (4.0, 5.0, 8.0, 6.0))]
                images.append(AnnotatedImage(name, (40, 30), boxes))
            told.write(Annotations(images, ("dent",)), tmp_path / "source")
        return tmp_path / "source"

    return write


@pytest.mark.parametrize("layout", [*FOLDERS, *FORMATS])
def test_a_source_of_any_place_gives_one_table_and_one_hash(
    layout: str, source: Callable[[str], Path], place: str, send: Send
) -> None:
    local = source(layout)
    if layout == "label-studio":
        _label(local / "tasks.json")
    send(local, place)
    table, expected = read_source(place, layout, **CLEAN), read_source(local, layout, **CLEAN)
    assert table.root == place
    assert table.rows.equals(expected.rows)
    assert table.content_hash() == expected.content_hash()
    assert source_hash(place, layout) == source_hash(local, layout)


def _label(tasks: Path) -> None:
    """Let a person agree with the proposed boxes: what is written for labelling is not labelled yet."""
    tasks.write_text(tasks.read_text().replace('"predictions"', '"annotations"'))


@pytest.mark.parametrize(("layout", "file"), [("coco", "annotations.json"), ("cvat", "annotations.xml")])
def test_a_label_file_may_be_named(
    layout: str, file: str, source: Callable[[str], Path], place: str, send: Send
) -> None:
    local = source(layout)
    send(local, place)
    table = read_source(f"{place}/{file}", layout, **CLEAN)
    assert (table.root, sorted(table.rows["image"])) == (place, ["images/a.png", "images/b.png"])
    assert source_hash(f"{place}/{file}", layout) == source_hash(local / file, layout)


def test_a_bad_record_is_told_with_the_place_of_the_source(
    source: Callable[[str], Path], place: str, send: Send
) -> None:
    local = source("image-folder")
    (local / "dent" / "bad.png").write_bytes(b"no image")
    send(local, place)
    with pytest.raises(DataError, match=rf"^{place} cannot be imported: .*dent/bad\.png") as raised:
        read_source(place, "image-folder")
    assert "glassline-" not in str(raised.value)


@pytest.mark.parametrize("layout", ["image-folder", "coco"])
def test_a_missing_source_is_told(layout: str, place: str) -> None:
    with pytest.raises(StorageError, match=f"got .*{place}"):
        read_source(f"{place}/none", layout)
    with pytest.raises(StorageError, match=f"got .*{place}"):
        source_hash(f"{place}/none", layout)


def test_the_hash_of_a_place_changes_with_a_file(source: Callable[[str], Path], place: str, send: Send) -> None:
    send(source("image-folder"), place)
    before = source_hash(place, "image-folder")
    open_location(place).write("dent/note.txt", b"new")
    assert source_hash(place, "image-folder") != before
